#include "server/checkpoint_writer.h"

#include <algorithm>
#include <span>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "protocol/checksum.h"
#include "protocol/manifest.h"
#include "protocol/trainer_blob.h"
#include "server/checkpoint_reader.h"

namespace longtail::server {
namespace {

constexpr std::size_t kCheckpointNameSizeMax = 128;

absl::Status CheckName(const std::string& name) {
  const bool is_fine = !name.empty() && name.size() <= kCheckpointNameSizeMax &&
                       name.front() != '.' && std::ranges::all_of(name, [](char c) {
                         return ('a' <= c && c <= 'z') || ('A' <= c && c <= 'Z') ||
                                ('0' <= c && c <= '9') || c == '.' || c == '_' || c == '-';
                       });
  if (is_fine) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("checkpoint name '", name, "': want [a-zA-Z0-9._-]+, no leading dot, at most ",
                   kCheckpointNameSizeMax, " characters"));
}

absl::Status WriteTrainer(const std::string& checkpoint, const TrainerState& trainer,
                          BlobStore& store, Manifest& manifest) {
  std::size_t number = 0;
  for (const auto& [name, payload] : trainer) {
    LONGTAIL_ASSIGN_OR_RETURN(const std::string blob, EncodeTrainerBlob(payload));
    const std::string blob_name = absl::StrCat(checkpoint, "/trainer-", number++, ".blob");
    LONGTAIL_RETURN_IF_ERROR(store.Write(blob_name, blob));
    manifest.trainer.push_back({.name = name,
                                .blob = blob_name,
                                .bytes = blob.size(),
                                .checksum = Checksum(std::as_bytes(std::span(blob)))});
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<CheckpointInfo> WriteCheckpoint(const CheckpointRequest& request,
                                               const ClusterMap& map, const TrainerState& trainer,
                                               ControlClient& control, BlobStore& store) {
  LONGTAIL_RETURN_IF_ERROR(CheckName(request.name));
  LONGTAIL_ASSIGN_OR_RETURN(const std::vector<std::string> there,
                            store.List(absl::StrCat(request.name, "/")));
  if (std::ranges::find(there, ManifestName(request.name)) != there.end()) {
    return absl::AlreadyExistsError(absl::StrCat("checkpoint '", request.name, "' is in ",
                                                 store.Describe(), " already: want a new name"));
  }
  // Blobs without a manifest are what a crash left of an earlier attempt.
  for (const std::string& leftover : there) LONGTAIL_RETURN_IF_ERROR(store.Remove(leftover));
  LONGTAIL_RETURN_IF_ERROR(store.RemoveUnfinished(absl::StrCat(request.name, "/")));

  LONGTAIL_ASSIGN_OR_RETURN(
      const auto snapshots,
      control.Ask<SnapshotReply>("snapshot", map.lanes, request.timeout, [&](std::uint64_t number) {
        return SnapshotRequest{number, request.name};
      }));
  Manifest manifest{.created_at = request.created_at,
                    .library_version = LONGTAIL_VERSION,
                    .step = 0,
                    .partition_count = static_cast<std::uint32_t>(map.lane_of.size()),
                    .lanes = static_cast<std::uint32_t>(map.lanes.size()),
                    .step_mode = map.step_mode,
                    .worker_count = map.worker_count,
                    .tables = {},
                    .partitions = {},
                    .blobs = {},
                    .trainer = {}};
  for (std::uint32_t t = 0; t < map.tables.size(); ++t) {
    manifest.tables.push_back({.id = TableId{t}, .spec = map.tables[t]});
  }
  for (const SnapshotReply& snapshot : snapshots) {
    manifest.blobs.insert(manifest.blobs.end(), snapshot.blobs.begin(), snapshot.blobs.end());
    manifest.partitions.insert(manifest.partitions.end(), snapshot.positions.begin(),
                               snapshot.positions.end());
  }
  for (const PartitionPosition& position : manifest.partitions) {
    manifest.step = std::max(manifest.step, position.step);
  }
  std::ranges::sort(manifest.blobs, {}, &SnapshotBlob::name);
  std::ranges::sort(manifest.partitions, {}, &PartitionPosition::partition);
  LONGTAIL_RETURN_IF_ERROR(WriteTrainer(request.name, trainer, store, manifest));
  LONGTAIL_RETURN_IF_ERROR(store.Write(ManifestName(request.name), EncodeManifest(manifest)));
  return InfoOf(manifest, {.store = request.store_address, .name = request.name});
}

}  // namespace longtail::server
