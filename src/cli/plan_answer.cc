#include "cli/plan_answer.h"

#include <array>
#include <cmath>
#include <cstddef>
#include <vector>

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "cli/inspect_answer.h"
#include "cli/number_text.h"
#include "cli/safe_text.h"
#include "cli/text_columns.h"

namespace longtail::cli {
namespace {

// "512 B", "1.5 KiB", "12.3 MiB", "1,234 GiB"
std::string SizeText(double bytes) {
  constexpr std::array kUnits = {"B", "KiB", "MiB", "GiB", "TiB"};
  std::size_t unit = 0;
  while (bytes >= 1024 && unit + 1 < kUnits.size()) {
    bytes /= 1024;
    ++unit;
  }
  if (unit == 0) return absl::StrFormat("%.0f B", bytes);
  return absl::StrFormat("%.2f %s", bytes, kUnits[unit]);
}

std::string OneDigit(double value) {
  return absl::StrFormat("%.1f", value);
}

std::vector<std::string> RowLine(const std::string& name, const server::RowBytes& row,
                                 const std::string& rows, const std::string& size) {
  return {absl::StrCat(row.header),
          absl::StrCat(row.weights),
          absl::StrCat(row.state),
          OneDigit(row.index),
          OneDigit(row.total()),
          OneDigit(row.total_max()),
          rows,
          size,
          SafeText(name)};
}

std::string TablesText(const Plan& plan) {
  std::vector<std::vector<std::string>> lines = {
      {"key", "weights", "state", "index", "a row", "at most", "rows", "memory", "table"}};
  for (const TablePlan& table : plan.tables) {
    lines.push_back(
        RowLine(table.name, table.row, GroupedText(table.rows), SizeText(table.bytes.total())));
    if (table.has_tail) lines.push_back(RowLine(table.name + ", tail", table.tail_row, "", ""));
  }
  return ColumnsText(lines, 8);
}

nlohmann::json RowJson(const server::RowBytes& row) {
  return {
      {"header", row.header}, {"weights", row.weights},       {"state", row.state},
      {"index", row.index},   {"index_max", row.index_max},   {"taken", row.taken},
      {"total", row.total()}, {"total_max", row.total_max()}, {"checkpoint_floats", row.floats}};
}

}  // namespace

std::string PlanText(const PlanInput& input, const Plan& plan) {
  std::string text = absl::StrCat("bytes of a row, and of one replica of all\n", TablesText(plan));
  absl::StrAppend(&text, "\n", CountedText(plan.servers, "server"), " of ",
                  CountedText(plan.lanes, "lane"), ", ", CountedText(plan.partitions, "partition"),
                  ", ", CountedText(input.replicas, "replica"),
                  "\n  memory of each: ", SizeText(plan.server_rows_bytes), " with all rows, ",
                  SizeText(plan.server_peak_bytes),
                  " at the most (checkpoint under way, buffers full)\n  cores of each: ",
                  absl::StrFormat("%.2f", plan.server_cores_used), " at ",
                  ShortText(input.steps_per_second), " steps a second\n");
  absl::StrAppend(&text, "\na step of ", CountedText(input.batch, "example"), " by ",
                  CountedText(input.workers, "worker"), "\n  ",
                  GroupedText(static_cast<std::uint64_t>(std::llround(plan.keys_per_step))),
                  " keys at the most: ", SizeText(plan.pull_bytes), " pulled, ",
                  SizeText(plan.push_bytes),
                  " pushed\n  network of each server: ", SizeText(plan.network_bytes_per_second),
                  " a second, both ways\n");
  absl::StrAppend(
      &text, "\na checkpoint\n  about ", SizeText(plan.checkpoint_stored_bytes), ", ",
      SizeText(static_cast<double>(plan.checkpoint_bytes)), " before compression; about ",
      absl::StrFormat("%.0f s", std::ceil(plan.checkpoint_seconds)), ", training goes on\n");
  absl::StrAppend(&text, "\nfor a StatefulSet\n  replicas: ", plan.servers,
                  "\n  resources: {requests: {cpu: ", plan.request_cores,
                  ", memory: ", plan.request_memory_bytes >> 20,
                  "Mi}, limits: {memory: ", plan.request_memory_bytes >> 20, "Mi}}\n");
  if (plan.log_volume_bytes != 0) {
    absl::StrAppend(&text, "  volume of logs: ", plan.log_volume_bytes >> 20, "Mi each\n");
  }
  absl::StrAppend(&text, "  longtail serve --lanes ", plan.lanes, " --replicas ", input.replicas,
                  "; longtail coordinator --servers ", plan.servers, " --partitions ",
                  plan.partitions, " --replicas ", input.replicas, "\n");
  return text;
}

std::string PlanJson(const Plan& plan) {
  nlohmann::json tables = nlohmann::json::array();
  for (const TablePlan& table : plan.tables) {
    nlohmann::json entry = {{"name", table.name},
                            {"rows", table.rows},
                            {"row_bytes", RowJson(table.row)},
                            {"bytes", table.bytes.total()},
                            {"index_bytes", table.bytes.index},
                            {"checkpoint_bytes", table.checkpoint_bytes}};
    if (table.has_tail) entry["tail_row_bytes"] = RowJson(table.tail_row);
    tables.push_back(std::move(entry));
  }
  return LineOf({{"tables", std::move(tables)},
                 {"rows", plan.rows},
                 {"table_bytes", plan.table_bytes},
                 {"partitions", plan.partitions},
                 {"servers", plan.servers},
                 {"lanes", plan.lanes},
                 {"server_rows_bytes", plan.server_rows_bytes},
                 {"server_peak_bytes", plan.server_peak_bytes},
                 {"server_cores_used", plan.server_cores_used},
                 {"keys_per_step", plan.keys_per_step},
                 {"pull_bytes_per_step", plan.pull_bytes},
                 {"push_bytes_per_step", plan.push_bytes},
                 {"network_bytes_per_second", plan.network_bytes_per_second},
                 {"checkpoint_bytes", plan.checkpoint_bytes},
                 {"checkpoint_stored_bytes", plan.checkpoint_stored_bytes},
                 {"checkpoint_seconds", plan.checkpoint_seconds},
                 {"request_memory_bytes", plan.request_memory_bytes},
                 {"request_cores", plan.request_cores},
                 {"log_volume_bytes", plan.log_volume_bytes}});
}

}  // namespace longtail::cli
