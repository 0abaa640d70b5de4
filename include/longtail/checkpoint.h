// Checkpoints: what is saved, where, and how to read it back.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "longtail/row_format.h"
#include "longtail/table_spec.h"

namespace longtail {

/// Where a checkpoint is: a store and a name in it.
struct CheckpointName {
  std::string store{};  ///< A directory, or rados://POOL[/NAMESPACE][?OPTION=VALUE&...].
  std::string name{};   ///< [a-zA-Z0-9._-]+, for example "step-000120".
};

/// A trainer's own state, by name: dense parameters and their optimizer, its position in its data,
/// its seeds. Opaque to the cluster; saved and restored with the tables, checksummed.
using TrainerState = std::map<std::string, std::string>;

/// How a checkpoint is saved.
struct CheckpointOptions {
  /// More than 0: an increment, which has the rows that changed and the keys whose rows went since
  /// the newest checkpoint that this Cluster object saved with such options, and needs the objects
  /// of that one (longtail ckpt gc keeps them). After so many increments in a row the next
  /// checkpoint is full, and so is the first; so is, of any increment, each partition whose lane
  /// does not know what changed: after a restart, a failover or a move, or if keys of more than an
  /// eighth of its rows went. 0: full, and increments that follow do not build on it. At most 1000.
  std::uint32_t increments_max = 0;
  /// What increments have of weights: kBfloat16 and kInt8 round them to the nearest value, and
  /// optimizer state to bf16. (A row is exact again in the next full checkpoint.) Not kFloat16.
  WireValues values = WireValues::kFloat32;
};

struct CheckpointInfo {
  CheckpointName name;
  std::string created_at;  ///< RFC 3339, UTC.
  std::uint64_t step = 0;
  std::uint32_t partitions = 0;
  std::uint64_t rows = 0;
  std::uint64_t bytes = 0;  ///< Of all blobs, compressed; of an increment: those it needs, too.
  std::vector<TableSpec> tables;
  std::uint64_t own_bytes = 0;   ///< Of the blobs that were written with it.
  std::uint32_t increments = 0;  ///< From a full checkpoint to this one; 0: this is one.
  std::string base{};            ///< Of an increment: the checkpoint it builds on.
};

/// A checkpoint as one text, which `longtail inspect` takes: its directory, or in another store
/// what would be one.
std::string AddressOf(const CheckpointName& name);

/// Complete checkpoints of a store, oldest first. A checkpoint without its manifest is not listed.
///
/// Errors: NotFound (no such store); DataLoss (a manifest is damaged).
absl::StatusOr<std::vector<CheckpointInfo>> ListCheckpoints(const std::string& store);

/// Reads the trainer's state of a checkpoint.
///
/// Errors: NotFound; DataLoss or InvalidArgument naming file, offset and cause.
absl::StatusOr<TrainerState> ReadTrainerState(const CheckpointName& from);

}  // namespace longtail
