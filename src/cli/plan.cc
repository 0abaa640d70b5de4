#include "cli/plan.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "base/limits.h"
#include "base/status_macros.h"
#include "protocol/snapshot_body.h"

namespace longtail::cli {
namespace {

constexpr double kMiB = 1 << 20;

// A server without rows: its program, libraries, sockets and threads (28), and what stays of
// messages once it has worked (12). Measured; test/cli/plan_test.
constexpr double kEmptyServerBytes = 40 * kMiB;
// What each lane has beside its rows under load: requests that came and are not yet done, replies
// that are kept to be used again (64 MiB at the most, server/reply_pool.h), ZeroMQ's queues.
constexpr double kLaneBufferBytes = 96 * kMiB;
// A checkpoint copies a row that changes before it is written: at most a third come to be held
// twice (docs/ARCHITECTURE.md, "Checkpoints").
constexpr double kCopiedShare = 1.0 / 3;
// Two bits a row for each of the two sets of changes (same place).
constexpr double kChangeBytesPerRow = 0.5;
// Of each lane, with replicas: entries that a follower lacks are held, pushes wait beyond 1 GiB;
// the newest 16 MiB always (docs/ARCHITECTURE.md, "Replicas").
constexpr double kTailBytes = 16 * kMiB;

// What is left free of a server's memory: the page cache of its log, the system.
constexpr double kMemoryUsed = 0.85;
// Of its cores: pushes come in bursts.
constexpr double kCoresUsed = 0.6;

// A server's CPU seconds for a million rows, dim d: docs/CLUSTER.md, "Wire speed" ("ours": 0.071
// and 0.165 pulled, 0.156 and 0.369 pushed at dim 16 and 64), "What a log costs" (0.12 and 0.30)
// and "What replicas cost" (twice the pushes, once for each replica).
double PullSeconds(double dim) {
  return 0.040 + 0.00196 * dim;
}
double PushSeconds(double dim, bool keeps_log) {
  return (0.085 + 0.00444 * dim) * (keeps_log ? 2.5 : 1);
}

// Bytes of a value on the wire: docs/CLUSTER.md, "Fewer bytes".
double ValueBytes(WireValues wire, double dim) {
  switch (wire) {
    case WireValues::kFloat32:
      return 4 * dim;
    case WireValues::kBfloat16:
    case WireValues::kFloat16:
      return 2 * dim;
    case WireValues::kInt8:
      return 1 + dim;
  }
  return 4 * dim;
}
// Headers, beside a key's own bytes (same place: "a fortieth or so").
constexpr double kHeaders = 1 + 1.0 / 40;
double PullBytes(WireValues wire, double dim) {
  return (8 + ValueBytes(wire, dim)) * kHeaders;
}
double PushBytes(WireValues wire, double dim) {
  return (12 + ValueBytes(wire, dim)) * kHeaders;
}

// Floats of which a row keeps few bits compress to about what the row keeps; keys, counts and steps
// to a little less than they are. Measured; test/cli/plan_test.
double StoredRowBytes(const server::RowBytes& row) {
  return 11 + 0.95 * row.values();
}

// A lane encodes and compresses so much a second (before compression), beside its other work:
// bench/checkpoint_bench, 412 MiB of rows in 1.1 s by one lane that took pushes meanwhile.
constexpr double kEncodeBytesPerSecond = 3.5e8;

// Bytes of a lane's log behind which it begins anew (`serve --base-after-mib`), and the base.
constexpr double kLogBytes = 1024 * kMiB;

constexpr std::uint32_t kPartitionsUsual = 64;
// An index has 26 bits for a row's number; half of that leaves room for growth.
constexpr double kRowsPerPartitionMax = 1 << 25;

absl::Status Wrong(const std::string& what, const std::string& wanted) {
  return absl::InvalidArgumentError(absl::StrCat(what, ": want ", wanted));
}

absl::Status Check(const PlanInput& input) {
  if (input.tables.empty()) return Wrong("no table", "--table, --spec or --config");
  for (const PlannedTable& table : input.tables) {
    LONGTAIL_RETURN_IF_ERROR(Validate(table.spec));
    const std::string name = absl::StrCat("table '", table.spec.name, "'");
    if (table.fields == 0) return Wrong(name + ": fields 0", "at least 1");
    if (table.cardinality == 0) return Wrong(name + ": cardinality 0", "at least 1");
    if (table.cardinality > (std::uint64_t{1} << 48) / table.fields) {
      return Wrong(absl::StrCat(name, ": ", table.fields, " fields of ", table.cardinality),
                   "at most 2^48 rows");
    }
    if (!(table.tail_share >= 0 && table.tail_share <= 1)) {
      return Wrong(absl::StrCat(name, ": tail_share ", table.tail_share), "0..1");
    }
  }
  if (input.batch == 0) return Wrong("batch 0", "at least 1");
  if (input.workers == 0 || input.workers > kWorkerCountMax) {
    return Wrong(absl::StrCat("workers ", input.workers), absl::StrCat("1..", kWorkerCountMax));
  }
  if (input.replicas == 0 || input.replicas > kServerCountMax) {
    return Wrong(absl::StrCat("replicas ", input.replicas), absl::StrCat("1..", kServerCountMax));
  }
  if (!(input.distinct > 0 && input.distinct <= 1)) {
    return Wrong(absl::StrCat("distinct ", input.distinct), "more than 0, at most 1");
  }
  if (!(input.steps_per_second > 0)) {
    return Wrong(absl::StrCat("steps-per-second ", input.steps_per_second), "more than 0");
  }
  if (!(input.store_bytes_per_second > 0)) {
    return Wrong(absl::StrCat("store-mb ", input.store_bytes_per_second / 1e6), "more than 0");
  }
  if (input.server_cores == 0) return Wrong("cores 0", "at least 1");
  if (!std::has_single_bit(input.partitions) && input.partitions != 0) {
    return Wrong(absl::StrCat("partitions ", input.partitions), "a power of two");
  }
  return absl::OkStatus();
}

TablePlan PlanTable(const PlannedTable& table, std::uint32_t partitions) {
  TablePlan plan;
  plan.name = table.spec.name;
  plan.rows = table.rows();
  plan.has_tail = table.spec.tail.below > 1;
  plan.row = server::BytesOfRow(table.spec);
  plan.tail_row = server::BytesOfRow(table.spec, true);
  const auto tail_rows = plan.has_tail ? static_cast<std::uint64_t>(std::llround(
                                             table.tail_share * static_cast<double>(plan.rows)))
                                       : 0;
  plan.bytes = server::BytesOfTable(table.spec, plan.rows - tail_rows, tail_rows, partitions);
  plan.checkpoint_bytes = plan.rows * SnapshotRowBytes(plan.row.floats);
  return plan;
}

// What the servers do for a step of all workers, and what travels.
struct Traffic {
  double keys = 0;
  double pull_bytes = 0;
  double push_bytes = 0;
  double cpu_seconds = 0;
};

Traffic TrafficOf(const PlanInput& input) {
  const double batch = std::ceil(static_cast<double>(input.batch) / input.workers);
  Traffic traffic;
  for (const PlannedTable& table : input.tables) {
    // A field has one value an example: no more keys than that, and than there are.
    const double keys = table.fields * std::min(batch, static_cast<double>(table.cardinality)) *
                        input.distinct * input.workers;
    const double dim = table.spec.dim;
    traffic.keys += keys;
    traffic.pull_bytes += keys * PullBytes(input.wire, dim);
    traffic.push_bytes += keys * PushBytes(input.wire, dim);
    traffic.cpu_seconds +=
        keys / 1e6 * (PullSeconds(dim) + input.replicas * PushSeconds(dim, input.keeps_log));
  }
  return traffic;
}

// Of one server, when there are so many.
double PeakBytes(const Plan& plan, const PlanInput& input, std::uint32_t servers,
                 std::uint32_t lanes) {
  const double share = static_cast<double>(input.replicas) / servers;
  const double rows = static_cast<double>(plan.rows) * share;
  const double places = static_cast<double>(lanes) * input.replicas;
  return kEmptyServerBytes + plan.table_bytes * share * (1 + kCopiedShare) +
         rows * kChangeBytesPerRow + lanes * kLaneBufferBytes +
         (input.replicas > 1 ? places * kTailBytes : 0);
}

}  // namespace

absl::StatusOr<Plan> MakePlan(const PlanInput& input) {
  LONGTAIL_RETURN_IF_ERROR(Check(input));
  Plan plan;
  double rows_most = 0;
  for (const PlannedTable& table : input.tables) {
    rows_most = std::max(rows_most, static_cast<double>(table.rows()));
  }
  const double partitions_needed = std::ceil(rows_most / kRowsPerPartitionMax);
  if (partitions_needed > kPartitionCountMax) {
    return Wrong(absl::StrCat("a table of ", rows_most, " rows"),
                 absl::StrCat("at most ", kRowsPerPartitionMax * kPartitionCountMax));
  }
  plan.partitions = input.partitions != 0
                        ? input.partitions
                        : std::max(kPartitionsUsual,
                                   std::bit_ceil(static_cast<std::uint32_t>(partitions_needed)));
  for (const PlannedTable& table : input.tables) {
    plan.tables.push_back(PlanTable(table, plan.partitions));
    const TablePlan& planned = plan.tables.back();
    plan.rows += planned.rows;
    plan.table_bytes += planned.bytes.total();
    plan.checkpoint_bytes += planned.checkpoint_bytes;
    const auto tail = planned.has_tail ? table.tail_share : 0;
    plan.checkpoint_stored_bytes +=
        static_cast<double>(planned.rows) *
        ((1 - tail) * StoredRowBytes(planned.row) + tail * StoredRowBytes(planned.tail_row));
  }
  const Traffic traffic = TrafficOf(input);
  plan.keys_per_step = traffic.keys;
  plan.pull_bytes = traffic.pull_bytes;
  plan.push_bytes = traffic.push_bytes;

  // As few servers as hold the rows and do the work; each lane is a core when it works.
  const double cores_needed = traffic.cpu_seconds * input.steps_per_second / kCoresUsed;
  const double memory = static_cast<double>(input.server_memory_bytes) * kMemoryUsed;
  for (std::uint32_t servers = input.replicas;; ++servers) {
    if (servers > kServerCountMax) {
      return Wrong(absl::StrCat("memory of a server ", input.server_memory_bytes, " bytes, cores ",
                                input.server_cores, ": more than ", kServerCountMax, " servers"),
                   "larger ones");
    }
    plan.lanes = std::max(1U, static_cast<std::uint32_t>(std::ceil(cores_needed / servers)));
    plan.server_peak_bytes = PeakBytes(plan, input, servers, plan.lanes);
    plan.servers = servers;
    // (One core for ZeroMQ, the log's thread and checkpoints.)
    const bool works = plan.lanes + 1 <= input.server_cores || input.server_cores == 1;
    if (plan.server_peak_bytes <= memory && (works || plan.lanes == 1)) break;
  }
  if (std::uint64_t{plan.servers} * plan.lanes > plan.partitions) {
    plan.partitions = std::bit_ceil(plan.servers * plan.lanes);
  }
  const double share = static_cast<double>(input.replicas) / plan.servers;
  plan.server_rows_bytes = kEmptyServerBytes + plan.table_bytes * share;
  // A push goes on from its leader to each follower.
  plan.network_bytes_per_second = input.steps_per_second *
                                  (plan.pull_bytes + plan.push_bytes * (2 * input.replicas - 1)) /
                                  plan.servers;
  plan.server_cores_used = traffic.cpu_seconds * input.steps_per_second / plan.servers;
  // Leaders alone write a checkpoint; lanes of a server share what it writes at.
  const double encode = static_cast<double>(plan.checkpoint_bytes) /
                        (kEncodeBytesPerSecond * plan.servers * plan.lanes);
  const double write = plan.checkpoint_stored_bytes / (input.store_bytes_per_second * plan.servers);
  plan.checkpoint_seconds = std::max(encode, write);
  const auto gib = [](double bytes) {
    return static_cast<std::uint64_t>(std::ceil(bytes / (kMiB * 1024) * 4) / 4 * kMiB * 1024);
  };
  plan.request_memory_bytes = gib(plan.server_peak_bytes / kMemoryUsed);
  plan.request_cores = plan.lanes + 1;
  if (input.keeps_log) {
    // A base is written while the log before it and its own grow.
    const double base = plan.checkpoint_stored_bytes * share;
    plan.log_volume_bytes = gib(2 * (base + plan.lanes * input.replicas * kLogBytes));
  }
  return plan;
}

}  // namespace longtail::cli
