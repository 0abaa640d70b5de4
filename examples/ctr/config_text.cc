#include "examples/ctr/config_text.h"

#include <type_traits>
#include <variant>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "examples/ctr/table_fields.h"

namespace longtail::examples {
namespace {

template <typename... Ts>
struct Overload : Ts... {
  using Ts::operator()...;
};
template <typename... Ts>
Overload(Ts...) -> Overload<Ts...>;

// "name value, …" of the fields of `spec`.
template <typename Spec>
std::string FieldsOf(const Spec& spec) {
  std::string text;
  VisitFields(spec, [&](const char* name, const auto& field) {
    absl::StrAppend(&text, text.empty() ? "" : ", ", name, " ");
    if constexpr (std::is_enum_v<std::remove_cvref_t<decltype(field)>>) {
      absl::StrAppend(&text, NamesOf(field)[static_cast<std::size_t>(field)]);
    } else {
      absl::StrAppend(&text, field);
    }
  });
  return text;
}

std::string TextOf(const OptimizerSpec& spec) {
  std::string text = std::visit(
      Overload{[](const SgdSpec& r) { return absl::StrCat("SGD ", r.learning_rate); },
               [](const MomentumSpec& r) {
                 return absl::StrCat("momentum ", r.learning_rate, ", ", r.momentum);
               },
               [](const AdagradSpec& r) {
                 return absl::StrCat("Adagrad ", r.learning_rate, ", accumulator from ",
                                     r.initial_accumulator);
               },
               [](const RowwiseAdagradSpec& r) {
                 return absl::StrCat("row-wise Adagrad ", r.learning_rate, ", accumulator from ",
                                     r.initial_accumulator);
               },
               [](const AdamSpec& r) {
                 return absl::StrCat("lazy Adam ", r.learning_rate, ", ", r.beta1, ", ", r.beta2);
               },
               [](const FtrlSpec& r) {
                 return absl::StrCat("FTRL ", r.alpha, ", beta ", r.beta, ", l1 ", r.l1, ", l2 ",
                                     r.l2);
               }},
      spec.rule);
  if (spec.weight_decay != 0) absl::StrAppend(&text, ", decay ", spec.weight_decay);
  if (spec.gradient_clip != 0) absl::StrAppend(&text, ", clip ", spec.gradient_clip);
  if (spec.gradient_norm_clip != 0) {
    absl::StrAppend(&text, ", norm clip ", spec.gradient_norm_clip);
  }
  if (spec.weight_clip != 0) absl::StrAppend(&text, ", weight clip ", spec.weight_clip);
  return text;
}

std::string TextOf(const DenseOptimizerSpec& spec) {
  std::string text = std::visit(
      Overload{[](const DenseSgd& r) {
                 return absl::StrCat("SGD ", r.learning_rate, ", momentum ", r.momentum);
               },
               [](const DenseAdagrad& r) { return absl::StrCat("Adagrad ", r.learning_rate); },
               [](const DenseAdam& r) {
                 return absl::StrCat("Adam ", r.learning_rate, ", ", r.beta1, ", ", r.beta2);
               }},
      spec.rule);
  if (spec.weight_decay != 0) absl::StrAppend(&text, ", decay ", spec.weight_decay);
  if (spec.gradient_clip != 0) absl::StrAppend(&text, ", clip ", spec.gradient_clip);
  return text;
}

std::string TextOf(const InitializerSpec& spec) {
  return std::visit(
      Overload{[](const ConstantSpec& s) { return absl::StrCat("constant ", s.value); },
               [](const UniformSpec& s) { return absl::StrCat("uniform ", s.low, "..", s.high); },
               [](const NormalSpec& s) {
                 return absl::StrCat("normal ", s.mean, ", deviation ", s.stddev);
               },
               [](const TruncatedNormalSpec& s) {
                 return absl::StrCat("truncated normal ", s.mean, ", deviation ", s.stddev);
               }},
      spec);
}

std::string TextOf(const LearningRateSchedule& schedule) {
  constexpr const char* kNames[] = {"constant", "linear", "cosine"};
  return absl::StrCat(kNames[static_cast<std::size_t>(schedule.decay)], ", warm-up ",
                      schedule.warmup, ", to ", schedule.final, " at step ", schedule.steps);
}

std::string StepModeText(const TrainConfig& config) {
  switch (config.step_mode) {
    case StepMode::kAsynchronous:
      return "asynchronous";
    case StepMode::kSynchronous:
      return "synchronous";
    case StepMode::kBoundedStaleness:
      return absl::StrCat("bounded staleness, ", config.staleness);
  }
  return "";
}

std::string PullAheadText(const TrainConfig& config) {
  const std::uint32_t ahead =
      config.device.name.empty() ? config.prefetch : config.device.depth - 1;
  if (ahead == 0) return "none: rows are exact";
  if (ahead == 1) return "one step: rows are one step old";
  return absl::StrCat(ahead, " steps: rows are ", ahead, " steps old");
}

}  // namespace

std::vector<NamedValue> SettingsOf(const TrainConfig& config) {
  const ModelSpec& model = config.model;
  std::vector<NamedValue> settings = {
      {"model", model.name},
      {"embedding dim", absl::StrCat(model.dim)},
      {"hidden layers", absl::StrJoin(model.hidden, ", ")},
      {"bottom layers", absl::StrJoin(model.bottom, ", ")},
      {"cross layers", absl::StrCat(model.cross_layers)},
      {"dropout", absl::StrCat(model.dropout, ", of embeddings ", model.embedding_dropout)},
      {"batch norm", model.batch_norm ? "yes" : "no"},
      {"linear part", model.linear ? "yes" : "the model's own"},
      {"pooling", model.pooling == Pooling::kMean ? "mean" : "sum"},
      {"row optimizer", TextOf(config.table.optimizer)},
      {"row initializer", TextOf(config.table.initializer)},
      {"row gradients",
       config.sparse_gradient == SparseGradient::kMean ? "mean of the batch" : "sum of the batch"},
      {"back-off",
       config.backoff.below == 0 ? "none" : absl::StrCat("below count ", config.backoff.below)},
      {"dense optimizer",
       absl::StrCat(TextOf(config.dense), ", initial scale ", config.dense_initial_scale)},
      {"learning rate", TextOf(config.schedule)},
      {"batch", absl::StrCat(config.batch)},
      {"workers", absl::StrCat(config.workers)},
      {"pull ahead", PullAheadText(config)},
      {"step mode", StepModeText(config)},
      {"shuffle buffer", absl::StrCat(config.data.shuffle)},
      {"seed", absl::StrCat(config.seed)},
      {"lanes", absl::StrCat(config.lanes)},
      {"partitions", absl::StrCat(config.partitions)},
      {"epochs", absl::StrCat(config.epochs)},
  };
  // Only what is in use: a training that was saved before there were these settings goes on.
  if (config.backoff.own == OwnRow::kIsAdded) {
    settings.push_back({"own rows in back-off", "added"});
  }
  if (config.data.min_count != 0) {
    settings.push_back({"count threshold", absl::StrCat(config.data.min_count)});
  }
  const TableSpec& table = config.table;
  if (table.optimizer.frequency != FrequencySpec{}) {
    settings.push_back({"by frequency", FieldsOf(table.optimizer.frequency)});
  }
  if (table.format != RowFormat{}) settings.push_back({"row format", FieldsOf(table.format)});
  if (table.tail != TailSpec{}) {
    settings.push_back({"row tail", FieldsOf(table.tail)});
  }
  if (table.eviction != EvictionSpec{}) {
    settings.push_back({"eviction", FieldsOf(table.eviction)});
  }
  if (config.wire_gradients != WireValues::kFloat32 || config.wire_rows != WireValues::kFloat32) {
    constexpr const char* kNames[] = {"fp32", "bf16", "fp16", "int8"};
    settings.push_back(
        {"values on the wire",
         absl::StrCat("gradients ", kNames[static_cast<std::size_t>(config.wire_gradients)],
                      ", rows ", kNames[static_cast<std::size_t>(config.wire_rows)])});
  }
  if (config.name_key_lists) settings.push_back({"lists of keys", "named once a server has them"});
  if (config.row_cache_mib != 0) {
    settings.push_back({"row cache", absl::StrCat(config.row_cache_mib, " MiB a worker, rows of ",
                                                  config.row_cache_steps, " steps")});
  }
  if (!config.device.name.empty()) settings.push_back({"device", config.device.name});
  const bool is_exact = config.device.depth == 1 && config.device.cache_rows == 0;
  if (!config.device.name.empty() && !is_exact && config.device.exact_steps != 0) {
    settings.push_back({"steps with exact rows", absl::StrCat(config.device.exact_steps)});
  }
  if (config.device.cache_rows != 0) {
    settings.push_back({"device's row cache", absl::StrCat(config.device.cache_rows, " rows, for ",
                                                           config.device.cache_steps, " steps")});
  }
  if (!config.device.name.empty() && config.device.graph) {
    settings.push_back({"device's graphs", "of the dense part"});
  }
  return settings;
}

std::string ResumeSettings(const TrainConfig& config) {
  std::string text;
  for (const NamedValue& setting : SettingsOf(config)) {
    // A longer training may go on from a shorter one; the others decide nothing.
    if (setting.name == "lanes" || setting.name == "partitions" || setting.name == "epochs" ||
        setting.name == "lists of keys" || setting.name == "device" ||
        setting.name == "device's graphs" ||
        (setting.name == "row cache" && config.row_cache_steps == 0)) {
      continue;
    }
    absl::StrAppend(&text, setting.name, " ", setting.value, "\n");
  }
  return text;
}

}  // namespace longtail::examples
