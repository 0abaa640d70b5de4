// `longtail plan`: what a model's tables will take, before there is a cluster for them.
//
// Every formula stands in plan.cc, once, with its source; what rows take is server/row_bytes.h.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "longtail/row_format.h"
#include "longtail/table_spec.h"
#include "server/row_bytes.h"

namespace longtail::cli {

/// A table of which every field has so many values, each of them a row.
struct PlannedTable {
  TableSpec spec{};
  std::uint32_t fields = 1;
  std::uint64_t cardinality = 0;
  double tail_share = 0;  ///< Of the rows, those that stay below the tail's count.

  std::uint64_t rows() const { return fields * cardinality; }
};

struct PlanInput {
  std::vector<PlannedTable> tables{};
  std::uint64_t batch = 4096;  ///< Examples of a step, all workers together.
  std::uint32_t workers = 1;
  double steps_per_second = 10;
  double distinct = 1;  ///< Of the keys of a worker's batch, those that are different.
  std::uint32_t replicas = 1;
  std::uint32_t partitions = 0;  ///< 0: to be suggested.
  bool keeps_log = true;
  WireValues wire = WireValues::kFloat32;  ///< Of rows and of gradients.
  std::uint64_t server_memory_bytes = std::uint64_t{16} << 30;
  std::uint32_t server_cores = 8;
  double store_bytes_per_second = 3e8;  ///< That one server writes a checkpoint at.
};

struct TablePlan {
  std::string name;
  std::uint64_t rows = 0;
  server::RowBytes row{};       ///< Of the table's own format,
  server::RowBytes tail_row{};  ///< and of its tail's, if it has one.
  bool has_tail = false;
  server::TableBytes bytes{};          ///< Of one replica of all rows.
  std::uint64_t checkpoint_bytes = 0;  ///< Before compression.
};

struct Plan {
  std::vector<TablePlan> tables{};
  std::uint64_t rows = 0;
  double table_bytes = 0;  ///< Of one replica of everything.
  std::uint32_t partitions = 0;
  std::uint32_t servers = 0;
  std::uint32_t lanes = 0;       ///< Of each server.
  double server_rows_bytes = 0;  ///< Resident with all rows, nothing under way,
  double server_peak_bytes = 0;  ///< and with a checkpoint and full buffers.
  double keys_per_step = 0;      ///< Of all workers, at the most.
  double pull_bytes = 0;         ///< A step, all workers together.
  double push_bytes = 0;
  double network_bytes_per_second = 0;  ///< Of one server, both ways, followers included.
  double server_cores_used = 0;         ///< Of each server.
  std::uint64_t checkpoint_bytes = 0;   ///< Before compression: at the most.
  double checkpoint_stored_bytes = 0;   ///< About what is stored.
  double checkpoint_seconds = 0;
  std::uint64_t request_memory_bytes = 0;  ///< Of a container: both request and limit.
  std::uint32_t request_cores = 0;
  std::uint64_t log_volume_bytes = 0;  ///< Of each server; 0 without logs.
};

/// Errors: InvalidArgument naming the table or the option, its value and what was wanted.
absl::StatusOr<Plan> MakePlan(const PlanInput& input);

}  // namespace longtail::cli
