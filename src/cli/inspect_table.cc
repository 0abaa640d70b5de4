#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "cli/inspect.h"
#include "cli/inspect_answer.h"
#include "cli/number_text.h"
#include "cli/safe_text.h"
#include "cli/table_summary.h"
#include "cli/text_columns.h"
#include "protocol/spec_json.h"

namespace longtail::cli {
namespace {

using nlohmann::json;

std::string TextOf(const TableSpec& spec, const TableSummary& summary) {
  std::string text =
      absl::StrCat("\ntable ", SafeText(spec.name), "\n  dim ", spec.dim, "; ", OptimizerText(spec),
                   "\n  ", CountedText(summary.all.rows, "row"));
  if (summary.all.rows != 0)
    absl::StrAppend(&text, " of ", CountedText(summary.floats_per_row, "float"));
  absl::StrAppend(&text, ", ", CountedText(summary.row_bytes, "byte"), " before compression\n\n");
  std::vector<std::vector<std::string>> lines = {
      {"trained", "rows", "share", "occurrences", "share"}};
  const auto add = [&, &all = summary.all](const char* name, const RowsAndOccurrences& part) {
    lines.push_back({name, GroupedText(part.rows), ShareText(part.rows, all.rows),
                     GroupedText(part.occurrences), ShareText(part.occurrences, all.occurrences)});
  };
  for (std::size_t i = 0; i < kFrequencyBuckets.size(); ++i) {
    add(kFrequencyBuckets[i].name, summary.buckets[i]);
  }
  add("all", summary.all);
  return text + ColumnsText(lines, lines[0].size());
}

json JsonOf(const TableSpec& spec, const TableSummary& summary) {
  json buckets = json::array();
  for (std::size_t i = 0; i < kFrequencyBuckets.size(); ++i) {
    const RowsAndOccurrences& part = summary.buckets[i];
    buckets.push_back({{"name", kFrequencyBuckets[i].name},
                       {"count_min", kFrequencyBuckets[i].count_min},
                       {"count_max", kFrequencyBuckets[i].count_max},
                       {"rows", part.rows},
                       {"rows_share", ShareOf(part.rows, summary.all.rows)},
                       {"occurrences", part.occurrences},
                       {"occurrences_share", ShareOf(part.occurrences, summary.all.occurrences)}});
  }
  return {{"name", spec.name},
          {"spec", SpecToJson(spec)},
          {"rows", summary.all.rows},
          {"occurrences", summary.all.occurrences},
          {"floats_per_row", summary.floats_per_row},
          {"row_bytes", summary.row_bytes},
          {"buckets", std::move(buckets)}};
}

}  // namespace

absl::StatusOr<std::string> InspectTable(const InspectRequest& request) {
  LONGTAIL_ASSIGN_OR_RETURN(CheckpointSource source,
                            OpenCheckpoint(request.checkpoint, request.table));
  std::vector<TableSummary> summaries(source.selected.size());
  LONGTAIL_RETURN_IF_ERROR(ReadAll(
      source, [&](std::size_t place, const RowBlock& rows) { summaries[place].Add(rows); }));
  return AnswerOf(
      source, request.form,
      [&](std::size_t place) { return TextOf(source.spec(place), summaries[place]); },
      [&](std::size_t place) { return JsonOf(source.spec(place), summaries[place]); });
}

}  // namespace longtail::cli
