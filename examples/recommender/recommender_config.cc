#include "examples/recommender/recommender_config.h"

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <type_traits>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "examples/ctr/setting_fields.h"
#include "examples/ctr/spec_settings.h"
#include "longtail/table_spec.h"

namespace longtail::examples::recommender {
namespace {

using nlohmann::json;

const json kNoFields = json::object();

const json& Part(SettingFields& fields, const std::string& key) {
  const json* const found = fields.Find(key);
  return found == nullptr ? kNoFields : *found;
}

template <typename Enum>
void GetEnum(SettingFields& fields, const std::string& key, const std::vector<std::string>& words,
             Enum& target) {
  auto index = static_cast<std::size_t>(target);
  fields.GetWord(key, words, index);
  target = static_cast<Enum>(index);
}

void WantAtLeast(SettingFields& fields, const char* key, double value, double least) {
  if (!(value >= least)) {
    fields.Refuse(key, absl::StrCat("is ", value, "; wanted ", least, " or more"));
  }
}

void WantShare(SettingFields& fields, const char* key, double value) {
  if (!(value >= 0 && value <= 1)) {
    fields.Refuse(key, absl::StrCat("is ", value, "; wanted 0..1"));
  }
}

absl::Status ParseTitles(const json& object, const std::string& place, TitleFile& titles) {
  SettingFields fields(object, place);
  fields.Get("file", titles.path);
  fields.Get("separator", titles.separator);
  fields.Get("header", titles.header);
  fields.Get("item", titles.item_column);
  fields.Get("title", titles.title_column);
  fields.Get("note", titles.note_column);
  WantAtLeast(fields, "item", titles.item_column, 1);
  WantAtLeast(fields, "title", titles.title_column, 1);
  if (titles.separator.empty()) fields.Refuse("separator", "is empty; wanted some bytes");
  return fields.Finish();
}

absl::Status ParseData(const json& object, const std::string& place, const std::string& directory,
                       DataConfig& data) {
  SettingFields fields(object, place);
  fields.Get("directory", data.directory);
  fields.Get("train", data.train);
  fields.Get("test", data.test);
  GetEnum(fields, "layout", {"columns", "lists"}, data.format.layout);
  fields.Get("separator", data.format.separator);
  fields.Get("header", data.format.header);
  fields.Get("min_rating", data.min_rating);
  SettingFields columns(Part(fields, "columns"), absl::StrCat(place, ".columns"));
  columns.Get("user", data.format.user_column);
  columns.Get("item", data.format.item_column);
  columns.Get("rating", data.format.rating_column);
  columns.Get("time", data.format.time_column);
  WantAtLeast(columns, "user", data.format.user_column, 1);
  WantAtLeast(columns, "item", data.format.item_column, 1);
  LONGTAIL_RETURN_IF_ERROR(columns.Finish());
  LONGTAIL_RETURN_IF_ERROR(
      ParseTitles(Part(fields, "titles"), absl::StrCat(place, ".titles"), data.titles));
  if (data.train.empty()) fields.Refuse("train", "is empty; wanted a file's name");
  if (data.format.separator.empty()) fields.Refuse("separator", "is empty; wanted some bytes");
  if (!std::filesystem::path(data.directory).is_absolute()) {
    data.directory =
        (std::filesystem::path(directory) / data.directory).lexically_normal().string();
  }
  return fields.Finish();
}

absl::Status ParseSplit(const json& object, const std::string& place, DataConfig& data) {
  SettingFields fields(object, place);
  SplitSpec& split = data.split;
  GetEnum(fields, "rule", {"files", "leave_one_out", "time", "fold"}, split.rule);
  fields.Get("validation_fraction", split.validation_fraction);
  fields.Get("test_fraction", split.test_fraction);
  fields.Get("fold", split.fold);
  fields.Get("folds", split.folds);
  const bool is_files = split.rule == SplitRule::kFiles;
  if (is_files == data.test.empty()) {
    fields.Refuse("rule", is_files ? "is 'files' and data.test is empty; wanted a file's name there"
                                   : absl::StrCat("divides data.train, and data.test is '",
                                                  data.test, "'; wanted none"));
  }
  return fields.Finish();
}

absl::Status ParseModel(const json& object, const std::string& place, ModelConfig& model) {
  SettingFields fields(object, place);
  fields.Get("dim", model.dim);
  fields.Get("user_row", model.user_row);
  GetEnum(fields, "history", {"none", "items", "own"}, model.history);
  GetEnum(fields, "history_order", {"any", "before"}, model.history_order);
  fields.Get("history_max", model.history_max);
  fields.Get("history_power", model.history_power);
  GetEnum(fields, "similarity", {"dot", "cosine"}, model.similarity);
  fields.Get("bias", model.bias);
  fields.Get("popularity_discount", model.popularity_discount);
  WantShare(fields, "popularity_discount", model.popularity_discount);
  fields.Get("tail_share", model.tail_share);
  WantShare(fields, "tail_share", model.tail_share);
  WantAtLeast(fields, "dim", model.dim, 1);
  if (model.history != History::kNone) WantAtLeast(fields, "history_max", model.history_max, 1);
  WantShare(fields, "history_power", model.history_power);
  if (!model.user_row && model.history == History::kNone) {
    fields.Refuse("user_row", "is false and there is no history; wanted one of them at least");
  }
  if (model.similarity == Similarity::kCosine && model.bias) {
    fields.Refuse("bias", "is true and the similarity is 'cosine'; wanted 'dot', or no bias");
  }
  return fields.Finish();
}

absl::Status ParseLoss(const json& object, const std::string& place, const ModelConfig& model,
                       LossConfig& loss) {
  SettingFields fields(object, place);
  GetEnum(fields, "name", {"softmax", "bpr", "squared"}, loss.kind);
  fields.Get("temperature", loss.temperature);
  fields.Get("negatives", loss.negatives);
  fields.Get("negative_power", loss.negative_power);
  fields.Get("popularity_correction", loss.popularity_correction);
  fields.Get("l2", loss.l2);
  if (!(loss.temperature > 0)) {
    fields.Refuse("temperature", absl::StrCat("is ", loss.temperature, "; wanted more than 0"));
  }
  WantShare(fields, "negative_power", loss.negative_power);
  WantShare(fields, "popularity_correction", loss.popularity_correction);
  WantAtLeast(fields, "l2", loss.l2, 0);
  WantAtLeast(fields, "negatives", loss.negatives, 1);
  if (loss.kind == LossKind::kSquared && model.similarity == Similarity::kCosine) {
    fields.Refuse("name", "is 'squared' and the similarity is 'cosine'; wanted 'dot' for ratings");
  }
  return fields.Finish();
}

absl::Status ParseTraining(const json& object, const std::string& place,
                           RecommenderConfig& config) {
  SettingFields fields(object, place);
  std::uint64_t batch = config.batch;
  fields.Get("batch", batch);
  config.batch = batch;
  fields.Get("epochs", config.epochs);
  fields.Get("workers", config.workers);
  fields.Get("seed", config.seed);
  fields.Get("decay", config.decay);
  WantAtLeast(fields, "batch", static_cast<double>(batch), 1);
  WantAtLeast(fields, "epochs", config.epochs, 1);
  WantAtLeast(fields, "workers", config.workers, 1);
  if (!(config.decay > 0 && config.decay <= 1)) {
    fields.Refuse("decay", absl::StrCat("is ", config.decay, "; wanted above 0, at most 1"));
  }
  return fields.Finish();
}

absl::Status ParseCluster(const json& object, const std::string& place, RecommenderConfig& config) {
  SettingFields fields(object, place);
  std::size_t mode = 0;
  fields.Get("lanes", config.lanes);
  fields.Get("partitions", config.partitions);
  fields.GetWord("step_mode", {"synchronous", "asynchronous", "bounded"}, mode);
  constexpr StepMode kModes[] = {StepMode::kSynchronous, StepMode::kAsynchronous,
                                 StepMode::kBoundedStaleness};
  config.step_mode = kModes[mode];
  fields.Get("staleness", config.staleness);
  if (config.staleness != 0 && config.step_mode != StepMode::kBoundedStaleness) {
    fields.Refuse("staleness",
                  absl::StrCat("is ", config.staleness, "; wanted 0, or a step_mode of 'bounded'"));
  }
  return fields.Finish();
}

}  // namespace

absl::StatusOr<RecommenderConfig> ParseRecommenderConfig(std::string_view text,
                                                         const std::string& name,
                                                         const std::string& directory) {
  const json object = json::parse(text, nullptr, /*allow_exceptions=*/false,
                                  /*ignore_comments=*/true);
  if (object.is_discarded()) {
    return absl::InvalidArgumentError(absl::StrCat(name, ": is no JSON; wanted an object"));
  }
  RecommenderConfig config;
  SettingFields fields(object, name);
  fields.Get("title", config.title);
  const auto part = [&](const char* key) { return absl::StrCat(name, ": ", key); };
  LONGTAIL_RETURN_IF_ERROR(ParseData(Part(fields, "data"), part("data"), directory, config.data));
  LONGTAIL_RETURN_IF_ERROR(ParseSplit(Part(fields, "split"), part("split"), config.data));
  LONGTAIL_RETURN_IF_ERROR(ParseModel(Part(fields, "model"), part("model"), config.model));
  LONGTAIL_RETURN_IF_ERROR(
      ParseLoss(Part(fields, "loss"), part("loss"), config.model, config.loss));
  SettingFields rows(Part(fields, "rows"), part("rows"));
  LONGTAIL_ASSIGN_OR_RETURN(config.optimizer,
                            ParseSparseOptimizer(Part(rows, "optimizer"), part("rows.optimizer")));
  LONGTAIL_ASSIGN_OR_RETURN(config.initializer,
                            ParseInitializer(Part(rows, "initializer"), part("rows.initializer")));
  LONGTAIL_RETURN_IF_ERROR(rows.Finish());
  LONGTAIL_RETURN_IF_ERROR(ParseTraining(Part(fields, "training"), part("training"), config));
  LONGTAIL_RETURN_IF_ERROR(ParseCluster(Part(fields, "cluster"), part("cluster"), config));
  LONGTAIL_RETURN_IF_ERROR(fields.Finish());
  return config;
}

absl::StatusOr<RecommenderConfig> LoadRecommenderConfig(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return absl::NotFoundError(absl::StrCat("config '", path, "': cannot be opened"));
  std::ostringstream text;
  text << file.rdbuf();
  return ParseRecommenderConfig(text.str(), path,
                                std::filesystem::path(path).parent_path().string());
}

std::string ResumeSettings(const RecommenderConfig& config) {
  const ModelConfig& model = config.model;
  const LossConfig& loss = config.loss;
  const SplitSpec& split = config.data.split;
  // Optimizer and initializer as the tables have them: by their specs' fingerprint.
  const std::uint64_t rows = Fingerprint({.name = "rows",
                                          .dim = model.row_dim(),
                                          .optimizer = config.optimizer,
                                          .initializer = config.initializer});
  return absl::StrCat("split ", static_cast<int>(split.rule), " ", split.validation_fraction, " ",
                      split.test_fraction, " ", split.fold, " of ", split.folds, "\nmin_rating ",
                      config.data.min_rating, "\ndim ", model.dim, "\nuser_row ", model.user_row,
                      "\nhistory ", static_cast<int>(model.history), " ",
                      static_cast<int>(model.history_order), " ", model.history_max, " ",
                      model.history_power, "\nsimilarity ", static_cast<int>(model.similarity),
                      "\nbias ", model.bias, "\nloss ", static_cast<int>(loss.kind),
                      "\ntemperature ", loss.temperature, "\nnegatives ", loss.negatives, " ",
                      loss.negative_power, " ", loss.popularity_correction, "\nl2 ", loss.l2,
                      "\nrows ", rows, "\nbatch ", config.batch, "\nworkers ", config.workers,
                      "\nseed ", config.seed, "\ndecay ", config.decay, "\nstep_mode ",
                      static_cast<int>(config.step_mode), " ", config.staleness, "\n");
}

}  // namespace longtail::examples::recommender
