// A checkpoint's manifest: what it consists of. Written last, so that a checkpoint with a manifest
// is whole.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "longtail/ids.h"
#include "longtail/step_mode.h"
#include "longtail/table_spec.h"
#include "protocol/messages.h"

namespace longtail {

/// The manifest's blob, within its checkpoint.
inline constexpr std::string_view kManifestBlobName = "MANIFEST.json";

inline constexpr std::string_view kManifestFormat = "longtail-checkpoint";
inline constexpr std::uint32_t kManifestVersion = 1;

struct ManifestTable {
  TableId id{};
  TableSpec spec;

  bool operator==(const ManifestTable&) const = default;
};

/// A blob with one entry of the trainer's own state (trainer_blob.h).
struct ManifestTrainerBlob {
  std::string name;  ///< Of the entry.
  std::string blob;
  std::uint64_t bytes = 0;     ///< Of the blob.
  std::uint64_t checksum = 0;  ///< XXH3-64 over the whole blob.

  bool operator==(const ManifestTrainerBlob&) const = default;
};

struct Manifest {
  std::string created_at;  ///< RFC 3339, UTC.
  std::string library_version;
  std::uint64_t step = 0;
  std::uint32_t partition_count = 1;
  std::uint32_t lanes = 1;  ///< When it was saved; any number can restore it.
  StepMode step_mode = StepMode::kAsynchronous;
  std::uint32_t worker_count = 1;
  std::vector<ManifestTable> tables;  ///< Ascending by id.
  std::vector<PartitionPosition> partitions;
  std::vector<SnapshotBlob> blobs;
  std::vector<ManifestTrainerBlob> trainer;
};

/// Gives JSON, indented, with a checksum of itself.
std::string EncodeManifest(const Manifest& manifest);

/// Reads a manifest; `name` is for messages. Fields it does not know are ignored.
///
/// Errors: DataLoss (no whole JSON, naming the byte; or its checksum is wrong); InvalidArgument
///         (foreign; newer; a field missing or wrong, naming its path and what was wanted).
absl::StatusOr<Manifest> DecodeManifest(std::string_view name, std::string_view bytes);

}  // namespace longtail
