// A checkpoint's manifest: what it consists of. Written last, so that a checkpoint with a manifest
// is whole.
//
// The manifest of an increment names all objects that are needed, those of earlier checkpoints on
// which it builds, too: nobody walks a chain.
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
inline constexpr std::uint32_t kManifestIncrementVersion = 2;

/// A blob in a checkpoint whose removal has begun: docs/FORMATS.md, "Removal mark".
inline constexpr std::string_view kRemovalMarkName = "REMOVED";

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
  /// Of an increment: the checkpoints whose objects it names, oldest first, itself last. A
  /// partition's rows are those of its objects in the first of them that has some, then what
  /// changed by each that follows. Empty: all objects are its own, and `partitions` says nothing
  /// of rows and increments.
  std::vector<std::string> layers{};
};

/// Tells one attempt to save a checkpoint from all others: of its name and the time in its
/// manifest. Never 0.
std::uint64_t CheckpointIdentity(std::string_view name, std::string_view created_at);

/// Gives JSON, indented, with a checksum of itself; of the second version with layers, else of the
/// first.
std::string EncodeManifest(const Manifest& manifest);

/// Reads a manifest; `name` is for messages. Fields it does not know are ignored.
///
/// Errors: DataLoss (no whole JSON, naming the byte; or its checksum is wrong); InvalidArgument
///         (foreign; newer; a field missing or wrong, naming its path and what was wanted).
absl::StatusOr<Manifest> DecodeManifest(std::string_view name, std::string_view bytes);

}  // namespace longtail
