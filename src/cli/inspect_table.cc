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
#include "protocol/statistics_fields.h"

namespace longtail::cli {
namespace {

using nlohmann::json;

// Which table it is, and the beginning of the line about its rows.
std::string TitleOf(const TableSpec& spec, std::uint64_t rows) {
  return absl::StrCat("\ntable ", SafeText(spec.name), "\n  dim ", spec.dim, "; ",
                      OptimizerText(spec), "\n  ", CountedText(rows, "row"));
}

std::string TextOf(const TableSpec& spec, const TableSummary& summary) {
  std::string text = TitleOf(spec, summary.all.rows);
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

TableSummary SummaryOf(const TableStatistics& statistics) {
  TableSummary summary;
  for (const auto& [count, rows] : statistics.rows_by_count) summary.Add(count, rows);
  return summary;
}

std::string LiveText(const TableReport& table) {
  const TableStatistics& live = table.statistics;
  const TableSummary summary = SummaryOf(live);
  std::string text = absl::StrCat(
      TitleOf(table.spec, live.rows), ", ", GroupedText(live.tail_rows), " in the tail; about ",
      CountedText(live.distinct_keys, "key"), " seen\n  ", CountedText(live.bytes(), "byte"), ": ",
      GroupedText(live.weight_bytes), " of weights, ", GroupedText(live.state_bytes), " of state, ",
      GroupedText(live.header_bytes), " of headers, ", GroupedText(live.index_bytes), " of index, ",
      GroupedText(live.free_bytes), " free\n  ", CountedText(live.pulls, "key"), " pulled, ",
      GroupedText(live.pushes), " pushed, ", GroupedText(live.shared_pushes),
      " of them below admission; ", GroupedText(live.non_finite_refused),
      " refused as not finite, ", GroupedText(live.full_refused), " for want of room\n  ",
      CountedText(live.rows_created, "row"), " created, ", GroupedText(live.rows_promoted),
      " promoted; evicted: ", GroupedText(live.evicted_idle), " idle, ",
      GroupedText(live.evicted_score), " by score, ", GroupedText(live.evicted_norm), " by norm, ",
      GroupedText(live.evicted_budget), " by budget\n\n");
  std::vector<std::vector<std::string>> lines = {
      {"trained", "rows", "share", "occurrences", "share", "pulls", "share"}};
  const auto add = [&](const char* name, const RowsAndOccurrences& part, std::uint64_t pulls) {
    lines.push_back({name, GroupedText(part.rows), ShareText(part.rows, summary.all.rows),
                     GroupedText(part.occurrences),
                     ShareText(part.occurrences, summary.all.occurrences), GroupedText(pulls),
                     ShareText(pulls, live.pulls)});
  };
  for (std::size_t i = 0; i < kFrequencyBuckets.size(); ++i) {
    add(kFrequencyBuckets[i].name, summary.buckets[i], live.pulls_by_bucket[i]);
  }
  add("all", summary.all, live.pulls);
  return text + ColumnsText(lines, lines[0].size());
}

json LiveJson(const TableReport& table) {
  const TableStatistics& live = table.statistics;
  json out = JsonOf(table.spec, SummaryOf(live));
  // What only the rows themselves would tell.
  out.erase("floats_per_row");
  out.erase("row_bytes");
  for (const auto& [name, member] : kStatisticsFields) {
    if (member != &TableStatistics::hash) out[name] = live.*member;
  }
  for (std::size_t i = 0; i < kFrequencyBuckets.size(); ++i) {
    out["buckets"][i]["pulls"] = live.pulls_by_bucket[i];
    out["buckets"][i]["pulls_share"] = ShareOf(live.pulls_by_bucket[i], live.pulls);
  }
  return out;
}

absl::StatusOr<std::string> FromStatistics(const InspectRequest& request) {
  LONGTAIL_ASSIGN_OR_RETURN(const StatisticsSource source,
                            OpenStatistics(request.checkpoint, request.table));
  return AnswerOf(
      source, request.form, [&](std::size_t place) { return LiveText(source.table(place)); },
      [&](std::size_t place) { return LiveJson(source.table(place)); });
}

}  // namespace

absl::StatusOr<std::string> InspectTable(const InspectRequest& request) {
  if (IsStatisticsFile(request.checkpoint)) return FromStatistics(request);
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
