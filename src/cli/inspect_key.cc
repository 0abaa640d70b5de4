#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

#include "absl/container/btree_set.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "cli/inspect.h"
#include "cli/inspect_answer.h"
#include "cli/key_rows.h"
#include "cli/key_text.h"
#include "cli/number_text.h"
#include "cli/safe_text.h"
#include "cli/weight_norm.h"
#include "protocol/cluster_map.h"
#include "protocol/manifest.h"

namespace longtail::cli {
namespace {

using nlohmann::json;

constexpr std::size_t kShownValuesMax = 8;

struct Answer {
  const CheckpointSource& source;
  const KeyQuestion& question;
  std::vector<KeyRows> tables;  ///< By place among the selected tables.

  std::uint32_t PartitionOfKey(Key key) const {
    return static_cast<std::uint32_t>(PartitionOf(key, source.manifest.partition_count));
  }
};

std::string RowText(const KeyRow& row, std::size_t values_max) {
  std::string text = absl::StrCat(
      "    trained ", CountedText(row.count, "time"), ", last in step ", GroupedText(row.last_step),
      "; weight norm ", ShortText(WeightNorm(row.weights)), "\n    ",
      CountedText(row.weights.size(), "weight"), ": ", ValuesText(row.weights, values_max), "\n");
  if (row.optimizer_state.empty()) return text;
  return absl::StrCat(text, "    ", CountedText(row.optimizer_state.size(), "float"),
                      " of optimizer state: ", ValuesText(row.optimizer_state, values_max), "\n");
}

std::string CountsText(const KeyRow& row, std::size_t counts_max) {
  std::string text = absl::StrCat("    ", CountedText(row.counts.size(), "column"),
                                  " not zero, of ", GroupedText(row.count), " in all");
  const char* before = ": ";
  for (std::size_t i = 0; i < std::min(row.counts.size(), counts_max); ++i) {
    absl::StrAppend(&text, std::exchange(before, ", "), row.counts[i].column, " = ",
                    row.counts[i].count);
  }
  return absl::StrCat(text, row.counts.size() > counts_max ? ", …\n" : "\n");
}

std::string TextOf(const Answer& answer, std::size_t place) {
  const bool has_counts = answer.source.spec(place).kind == TableKind::kCounts;
  const std::size_t values_max =
      answer.question.wants_all_values ? std::numeric_limits<std::size_t>::max() : kShownValuesMax;
  std::string text = absl::StrCat("\ntable ", SafeText(answer.source.spec(place).name), "\n");
  for (const Key key : answer.question.keys) {
    const std::optional<KeyRow>& row = answer.tables[place].Find(key);
    absl::StrAppend(&text, "  key ", KeyText(key), ", partition ", answer.PartitionOfKey(key),
                    row ? "\n" : ": no row\n");
    if (row) text += has_counts ? CountsText(*row, values_max) : RowText(*row, values_max);
  }
  return text;
}

json ValuesJson(const std::vector<float>& values) {
  json array = json::array();
  for (const float value : values) array.push_back(FloatJson(value));
  return array;
}

json JsonOf(const Answer& answer, std::size_t place) {
  json keys = json::array();
  for (const Key key : answer.question.keys) {
    const std::optional<KeyRow>& row = answer.tables[place].Find(key);
    json object = {
        {"key", key}, {"partition", answer.PartitionOfKey(key)}, {"has_row", row.has_value()}};
    if (row && answer.source.spec(place).kind == TableKind::kCounts) {
      json counts = json::array();
      for (const CountEntry& entry : row->counts) {
        counts.push_back({{"column", entry.column}, {"count", entry.count}});
      }
      object["counts"] = std::move(counts);
    } else if (row) {
      object["count"] = row->count;
      object["last_step"] = row->last_step;
      object["weights"] = ValuesJson(row->weights);
      object["optimizer_state"] = ValuesJson(row->optimizer_state);
    }
    keys.push_back(std::move(object));
  }
  return {{"name", answer.source.spec(place).name}, {"keys", std::move(keys)}};
}

}  // namespace

absl::StatusOr<std::string> InspectKey(const InspectRequest& request, const KeyQuestion& question) {
  if (IsStatisticsFile(request.checkpoint)) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", request.checkpoint,
                     "' is a file: statistics have no rows. Keys need a checkpoint: want its "
                     "directory, the one with ",
                     std::string(kManifestBlobName)));
  }
  LONGTAIL_ASSIGN_OR_RETURN(const CheckpointSource source,
                            OpenCheckpoint(request.checkpoint, request.table));
  Answer answer{.source = source, .question = question, .tables = {}};
  for (std::size_t place = 0; place < source.selected.size(); ++place) {
    answer.tables.emplace_back(question.keys, source.spec(place).dim);
  }
  absl::btree_set<PartitionId> partitions;
  for (const Key key : question.keys) {
    partitions.insert(PartitionOf(key, source.manifest.partition_count));
  }
  LONGTAIL_RETURN_IF_ERROR(ReadPartitions(
      source, partitions,
      [&](std::size_t place, const RowBlock& rows) { answer.tables[place].Add(rows); }));
  return AnswerOf(
      source, request.form, [&](std::size_t place) { return TextOf(answer, place); },
      [&](std::size_t place) { return JsonOf(answer, place); });
}

}  // namespace longtail::cli
