#include "server/checkpoint_writer.h"

#include <algorithm>
#include <optional>
#include <span>

#include "absl/container/btree_set.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "protocol/checksum.h"
#include "protocol/format_limits.h"
#include "protocol/manifest.h"
#include "protocol/snapshot_body.h"
#include "protocol/trainer_blob.h"
#include "server/checkpoint_layers.h"
#include "server/checkpoint_reader.h"
#include "server/snapshot_name.h"

namespace longtail::server {
namespace {

constexpr std::size_t kCheckpointNameSizeMax = 128;
constexpr std::uint32_t kIncrementsMax = 1000;
static_assert(kIncrementsMax < kLayerCountMax);

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

absl::Status CheckOptions(const CheckpointOptions& options) {
  if (options.increments_max > kIncrementsMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("increments_max ", options.increments_max, ": want 0..", kIncrementsMax));
  }
  if (!IsIncrementFormat(options.values)) {
    return absl::InvalidArgumentError(
        "values of increments: want fp32, bf16 or int8: fp16 has not the range of optimizer state");
  }
  return absl::OkStatus();
}

// Whether that checkpoint is still there and nobody removes it. The order counts: who removes it
// marks it first, and takes the mark away last.
absl::StatusOr<std::optional<Manifest>> ReadBase(const CheckpointBase& base, BlobStore& store) {
  const absl::Status mark =
      store.Read(absl::StrCat(base.name, "/", std::string(kRemovalMarkName))).status();
  if (mark.ok()) return std::nullopt;
  if (!absl::IsNotFound(mark)) return mark;
  absl::StatusOr<Manifest> manifest = ReadManifest(store, base.name);
  if (absl::IsUnavailable(manifest.status())) return manifest.status();
  if (!manifest.ok() || manifest->created_at != base.created_at) return std::nullopt;
  return std::optional(*std::move(manifest));
}

// What the manifest needs of the base's objects: all of the partitions that wrote increments.
void BuildOn(const Manifest& base, const CheckpointBase& name, const std::string& own,
             Manifest& manifest) {
  absl::btree_set<PartitionId> increments;
  for (const PartitionPosition& position : manifest.partitions) {
    if (position.is_increment) increments.insert(position.partition);
  }
  if (increments.empty()) return;
  absl::btree_set<std::string> needed = {own};
  for (const SnapshotBlob& blob : base.blobs) {
    const auto place = PlaceOfSnapshot(blob.name);
    if (!place || !increments.contains(place->partition)) continue;
    needed.insert(std::string(CheckpointOfBlob(blob.name)));
    manifest.blobs.push_back(blob);
  }
  manifest.layers = base.layers;
  if (manifest.layers.empty()) manifest.layers.push_back(name.name);
  manifest.layers.push_back(own);
  std::erase_if(manifest.layers, [&](const std::string& layer) { return !needed.contains(layer); });
}

}  // namespace

absl::Status MakeRoom(const std::string& name, BlobStore& store) {
  LONGTAIL_RETURN_IF_ERROR(CheckName(name));
  LONGTAIL_ASSIGN_OR_RETURN(const std::vector<std::string> there,
                            store.List(absl::StrCat(name, "/")));
  if (std::ranges::find(there, ManifestName(name)) != there.end()) {
    return absl::AlreadyExistsError(absl::StrCat("checkpoint '", name, "' is in ", store.Describe(),
                                                 " already: want a new name"));
  }
  if (!there.empty()) {
    const absl::StatusOr<std::optional<std::string>> found = FindUserOf(store, name);
    if (!found.ok()) {
      return {found.status().code(),
              absl::StrCat(
                  "checkpoint '", name, "': objects of that name are in ", store.Describe(),
                  ", and it is not known whether others need them: ", found.status().message())};
    }
    if (const std::optional<std::string>& user = *found) {
      return absl::AlreadyExistsError(absl::StrCat("checkpoint '", name, "' was removed from ",
                                                   store.Describe(), ", but for objects that '",
                                                   *user, "' needs: want a new name"));
    }
  }
  for (const std::string& leftover : there) LONGTAIL_RETURN_IF_ERROR(store.Remove(leftover));
  return store.RemoveUnfinished(absl::StrCat(name, "/"));
}

absl::StatusOr<CheckpointInfo> WriteCheckpoint(const CheckpointRequest& request,
                                               const ClusterMap& map, const TrainerState& trainer,
                                               ControlClient& control, BlobStore& store) {
  LONGTAIL_RETURN_IF_ERROR(CheckOptions(request.options));
  LONGTAIL_RETURN_IF_ERROR(MakeRoom(request.name, store));
  const bool is_tracked = request.options.increments_max > 0;
  std::optional<Manifest> base;
  if (is_tracked && request.base) {
    LONGTAIL_ASSIGN_OR_RETURN(base, ReadBase(*request.base, store));
  }
  SnapshotRequest snapshot{.request = 0, .prefix = request.name};
  snapshot.values = request.options.values;
  snapshot.epoch = map.epoch;
  if (is_tracked) snapshot.checkpoint = CheckpointIdentity(request.name, request.created_at);
  if (base) {
    snapshot.base = CheckpointIdentity(request.base->name, request.base->created_at);
    // A full one has one layer, or none that is written down.
    snapshot.is_increment = base->layers.size() <= request.options.increments_max;
  }
  LONGTAIL_ASSIGN_OR_RETURN(
      const auto snapshots,
      control.Ask<SnapshotReply>("snapshot", map.lanes, request.timeout, [&](std::uint64_t number) {
        snapshot.request = number;
        return snapshot;
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
  for (const SnapshotReply& reply : snapshots) {
    manifest.blobs.insert(manifest.blobs.end(), reply.blobs.begin(), reply.blobs.end());
    manifest.partitions.insert(manifest.partitions.end(), reply.positions.begin(),
                               reply.positions.end());
  }
  for (const PartitionPosition& position : manifest.partitions) {
    manifest.step = std::max(manifest.step, position.step);
  }
  if (base) BuildOn(*base, *request.base, request.name, manifest);
  std::ranges::sort(manifest.blobs, {}, &SnapshotBlob::name);
  std::ranges::sort(manifest.partitions, {}, &PartitionPosition::partition);
  LONGTAIL_RETURN_IF_ERROR(WriteTrainer(request.name, trainer, store, manifest));
  LONGTAIL_RETURN_IF_ERROR(store.Write(ManifestName(request.name), EncodeManifest(manifest)));
  if (!manifest.layers.empty()) {
    LONGTAIL_ASSIGN_OR_RETURN(const std::optional<Manifest> still_there,
                              ReadBase(*request.base, store));
    if (!still_there) {
      LONGTAIL_RETURN_IF_ERROR(store.Remove(ManifestName(request.name)));
      return absl::AbortedError(absl::StrCat("checkpoint '", request.name, "': '",
                                             request.base->name,
                                             "', on which it builds, was removed meanwhile"));
    }
  }
  return InfoOf(manifest, {.store = request.store_address, .name = request.name});
}

}  // namespace longtail::server
