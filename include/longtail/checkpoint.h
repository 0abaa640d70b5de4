// Checkpoints: what is saved, where, and how to read it back.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
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

struct CheckpointInfo {
  CheckpointName name;
  std::string created_at;  ///< RFC 3339, UTC.
  std::uint64_t step = 0;
  std::uint32_t partitions = 0;
  std::uint64_t rows = 0;
  std::uint64_t bytes = 0;  ///< Of all blobs, compressed.
  std::vector<TableSpec> tables;
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
