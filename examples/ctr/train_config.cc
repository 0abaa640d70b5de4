#include "examples/ctr/train_config.h"

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "examples/ctr/setting_fields.h"
#include "examples/ctr/spec_settings.h"
#include "longtail/cluster.h"

namespace longtail::examples {
namespace {

using nlohmann::json;

const json kNoFields = json::object();

// The object at `key`, or an empty one.
const json& Part(SettingFields& fields, const std::string& key) {
  const json* const found = fields.Find(key);
  return found == nullptr ? kNoFields : *found;
}

std::string Resolve(const std::string& path, const std::string& directory) {
  if (path.empty() || std::filesystem::path(path).is_absolute()) return path;
  return (std::filesystem::path(directory) / path).lexically_normal().string();
}

absl::Status ParseSynthetic(const json& object, const std::string& place, SyntheticData& data) {
  SettingFields fields(object, place);
  fields.Get("fields", data.options.field_count);
  fields.Get("ids_per_field", data.options.ids_per_field);
  fields.Get("zipf_exponent", data.options.zipf_exponent);
  fields.Get("missing_rate", data.options.missing_rate);
  fields.Get("field_scale", data.options.field_scale);
  fields.Get("pair_scale", data.options.pair_scale);
  fields.Get("seed", data.options.seed);
  fields.Get("train", data.train);
  fields.Get("validation", data.validation);
  fields.Get("test", data.test);
  LONGTAIL_RETURN_IF_ERROR(fields.Finish());
  return Validate(data.options);
}

absl::Status ParseData(const json& object, const std::string& place, const std::string& directory,
                       DataConfig& data) {
  SettingFields fields(object, place);
  fields.Get("schema", data.schema);
  fields.Get("directory", data.directory);
  fields.Get("train", data.train);
  fields.Get("validation", data.validation);
  fields.Get("test", data.test);
  fields.Get("shuffle", data.shuffle);
  fields.Get("frequency_field", data.frequency_field);
  fields.Get("min_count", data.min_count);
  if (fields.Has("synthetic")) {
    LONGTAIL_RETURN_IF_ERROR(ParseSynthetic(
        Part(fields, "synthetic"), absl::StrCat(place, ".synthetic"), data.synthetic.emplace()));
  }
  if (data.schema.empty() == !data.synthetic.has_value()) {
    fields.Refuse("schema", "wanted either a schema or 'synthetic', and not both");
  }
  data.schema = Resolve(data.schema, directory);
  data.directory = Resolve(data.directory, directory);
  return fields.Finish();
}

absl::Status ParseModel(const json& object, const std::string& place, ModelSpec& model) {
  SettingFields fields(object, place);
  std::size_t pooling = 0;
  fields.Get("name", model.name);
  fields.Get("dim", model.dim);
  fields.Get("hidden", model.hidden);
  fields.Get("bottom", model.bottom);
  fields.Get("cross_layers", model.cross_layers);
  fields.Get("dropout", model.dropout);
  fields.Get("embedding_dropout", model.embedding_dropout);
  fields.Get("batch_norm", model.batch_norm);
  fields.Get("numeric_embedding", model.numeric_embedding);
  fields.Get("linear", model.linear);
  fields.GetWord("pooling", {"mean", "sum"}, pooling);
  model.pooling = pooling == 0 ? Pooling::kMean : Pooling::kSum;
  return fields.Finish();
}

absl::Status ParseSparse(const json& object, const std::string& place, TrainConfig& config) {
  SettingFields fields(object, place);
  std::size_t gradient = 0;
  std::size_t own = 0;
  fields.GetWord("gradient", {"mean", "sum"}, gradient);
  BackoffSpec& backoff = config.backoff;
  fields.Get("backoff", backoff.below);
  fields.GetWord("backoff_own", {"waits", "added"}, own);
  if (backoff.below != 0 && config.data.min_count != 0) {
    fields.Refuse("backoff", absl::StrCat("is ", backoff.below, " and data.min_count is ",
                                          config.data.min_count, "; wanted one of them at most"));
  }
  if (own != 0 && backoff.below == 0) {
    fields.Refuse("backoff_own", "is 'added' and there is no backoff; wanted both or none");
  }
  backoff.own = static_cast<OwnRow>(own);
  config.sparse_gradient = gradient == 0 ? SparseGradient::kMean : SparseGradient::kSum;
  LONGTAIL_ASSIGN_OR_RETURN(
      config.table.optimizer,
      ParseSparseOptimizer(Part(fields, "optimizer"), absl::StrCat(place, ".optimizer")));
  LONGTAIL_ASSIGN_OR_RETURN(
      config.table.initializer,
      ParseInitializer(Part(fields, "initializer"), absl::StrCat(place, ".initializer")));
  LONGTAIL_ASSIGN_OR_RETURN(config.table.format,
                            ParseRowFormat(Part(fields, "format"), absl::StrCat(place, ".format")));
  LONGTAIL_ASSIGN_OR_RETURN(config.table.tail,
                            ParseTail(Part(fields, "tail"), absl::StrCat(place, ".tail")));
  LONGTAIL_ASSIGN_OR_RETURN(config.table.eviction, ParseEviction(Part(fields, "eviction"),
                                                                 absl::StrCat(place, ".eviction")));
  return fields.Finish();
}

absl::Status ParseTraining(const json& object, const std::string& place, TrainConfig& config) {
  SettingFields fields(object, place);
  fields.Get("batch", config.batch);
  fields.Get("epochs", config.epochs);
  fields.Get("workers", config.workers);
  fields.Get("prefetch", config.prefetch);
  fields.Get("seed", config.seed);
  if (config.batch < 1 || config.batch > kMicroBatchMax) {
    fields.Refuse("batch", absl::StrCat("is ", config.batch, "; wanted 1..", kMicroBatchMax));
  }
  if (config.workers < 1 || config.workers > config.batch) {
    fields.Refuse("workers", absl::StrCat("is ", config.workers, "; wanted 1..", config.batch));
  }
  if (config.prefetch > 1) {
    fields.Refuse("prefetch", absl::StrCat("is ", config.prefetch, "; wanted 0 or 1"));
  }
  SettingFields schedule(Part(fields, "schedule"), absl::StrCat(place, ".schedule"));
  std::size_t decay = 0;
  schedule.Get("warmup", config.schedule.warmup);
  schedule.GetWord("decay", {"none", "linear", "cosine"}, decay);
  schedule.Get("steps", config.schedule.steps);
  schedule.Get("final", config.schedule.final);
  config.schedule.decay = static_cast<RateDecay>(decay);
  LONGTAIL_RETURN_IF_ERROR(schedule.Finish());
  return fields.Finish();
}

absl::Status ParseDevice(const json& object, const std::string& place, DeviceConfig& device) {
  SettingFields fields(object, place);
  fields.Get("name", device.name);
  fields.Get("depth", device.depth);
  fields.Get("exact_steps", device.exact_steps);
  fields.Get("cache_rows", device.cache_rows);
  fields.Get("cache_steps", device.cache_steps);
  fields.Get("keys_max", device.keys_max);
  fields.Get("graph", device.graph);
  if (device.depth < 1 || device.depth > kDeviceDepthMax) {
    fields.Refuse("depth", absl::StrCat("is ", device.depth, "; wanted 1..", kDeviceDepthMax));
  }
  return fields.Finish();
}

absl::Status ParseCluster(const json& object, const std::string& place, TrainConfig& config) {
  SettingFields fields(object, place);
  std::size_t mode = 0;
  fields.Get("lanes", config.lanes);
  fields.Get("partitions", config.partitions);
  fields.Get("audit_evictions", config.audit_evictions);
  fields.GetWord("step_mode", {"synchronous", "asynchronous", "bounded"}, mode);
  constexpr StepMode kModes[] = {StepMode::kSynchronous, StepMode::kAsynchronous,
                                 StepMode::kBoundedStaleness};
  config.step_mode = kModes[mode];
  fields.Get("staleness", config.staleness);
  std::size_t values = 0;
  fields.GetWord("wire_values", {"fp32", "bf16", "fp16", "int8"}, values);
  std::size_t rows = values;
  fields.GetWord("wire_rows", {"fp32", "bf16", "fp16", "int8"}, rows);
  config.wire_gradients = static_cast<WireValues>(values);
  config.wire_rows = static_cast<WireValues>(rows);
  fields.Get("name_key_lists", config.name_key_lists);
  fields.Get("row_cache_mib", config.row_cache_mib);
  fields.Get("row_cache_steps", config.row_cache_steps);
  const bool is_bounded = config.step_mode == StepMode::kBoundedStaleness;
  if (config.staleness > (is_bounded ? kStalenessMax : 0)) {
    fields.Refuse("staleness", absl::StrCat("is ", config.staleness, "; wanted ",
                                            is_bounded ? absl::StrCat("0..", kStalenessMax)
                                                       : "0, or a step_mode of 'bounded'"));
  }
  return fields.Finish();
}

}  // namespace

absl::StatusOr<TrainConfig> ParseTrainConfig(std::string_view text, const std::string& name,
                                             const std::string& directory) {
  const json object = json::parse(text, nullptr, /*allow_exceptions=*/false,
                                  /*ignore_comments=*/true);
  if (object.is_discarded()) {
    return absl::InvalidArgumentError(absl::StrCat(name, ": is no JSON; wanted an object"));
  }
  TrainConfig config;
  SettingFields fields(object, name);
  fields.Get("title", config.title);
  const auto part = [&](const char* key) { return absl::StrCat(name, ": ", key); };
  LONGTAIL_RETURN_IF_ERROR(ParseData(Part(fields, "data"), part("data"), directory, config.data));
  LONGTAIL_RETURN_IF_ERROR(ParseModel(Part(fields, "model"), part("model"), config.model));
  LONGTAIL_RETURN_IF_ERROR(ParseSparse(Part(fields, "sparse"), part("sparse"), config));
  SettingFields dense(Part(fields, "dense"), part("dense"));
  LONGTAIL_ASSIGN_OR_RETURN(config.dense,
                            ParseDenseOptimizer(Part(dense, "optimizer"), part("dense.optimizer")));
  dense.Get("initial_scale", config.dense_initial_scale);
  LONGTAIL_RETURN_IF_ERROR(dense.Finish());
  LONGTAIL_RETURN_IF_ERROR(ParseTraining(Part(fields, "training"), part("training"), config));
  LONGTAIL_RETURN_IF_ERROR(ParseDevice(Part(fields, "device"), part("device"), config.device));
  LONGTAIL_RETURN_IF_ERROR(ParseCluster(Part(fields, "cluster"), part("cluster"), config));
  LONGTAIL_RETURN_IF_ERROR(fields.Finish());
  return config;
}

absl::StatusOr<TrainConfig> LoadTrainConfig(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return absl::NotFoundError(absl::StrCat("config '", path, "': cannot be opened"));
  std::ostringstream text;
  text << file.rdbuf();
  return ParseTrainConfig(text.str(), path, std::filesystem::path(path).parent_path().string());
}

}  // namespace longtail::examples
