#include "checkpoint/store_listing.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "base/status_macros.h"
#include "server/checkpoint_reader.h"
#include "server/snapshot_name.h"

namespace longtail::checkpoint {
namespace {

bool IsTrainerBlob(std::string_view file) {
  constexpr std::string_view kBegin = "trainer-";
  constexpr std::string_view kEnd = ".blob";
  if (!file.starts_with(kBegin) || !file.ends_with(kEnd)) return false;
  if (file.size() <= kBegin.size() + kEnd.size()) return false;
  const std::string_view number =
      file.substr(kBegin.size(), file.size() - kBegin.size() - kEnd.size());
  return std::ranges::all_of(number, [](char c) { return '0' <= c && c <= '9'; });
}

// Which checkpoint a blob is of, by its name alone; empty if it is of none.
std::string_view CheckpointOf(std::string_view blob) {
  const std::size_t slash = blob.find('/');
  if (slash == std::string_view::npos) return {};
  const std::string_view file = blob.substr(slash + 1);
  if (file.find('/') != std::string_view::npos) return {};
  const bool is_ours = file == kManifestBlobName || file == kRemovalMarkName ||
                       IsTrainerBlob(file) || server::PlaceOfSnapshot(blob).has_value();
  return is_ours ? blob.substr(0, slash) : std::string_view();
}

absl::Time TimeOf(const Manifest& manifest) {
  absl::Time time = absl::InfinitePast();
  if (!absl::ParseTime(absl::RFC3339_full, manifest.created_at, &time, nullptr)) {
    return absl::InfinitePast();
  }
  return time;
}

auto AgeOrder(const ListedCheckpoint& listed) {
  return std::tuple(listed.saved, listed.manifest.ok() ? listed.manifest->step : 0, listed.name);
}

}  // namespace

absl::StatusOr<StoreListing> ListStore(BlobStore& store) {
  LONGTAIL_ASSIGN_OR_RETURN(const std::vector<std::string> blobs, store.List(""));
  absl::btree_map<std::string, std::vector<std::string>> objects;  // By checkpoint.
  for (const std::string& blob : blobs) {
    const std::string_view name = CheckpointOf(blob);
    if (!name.empty()) objects[std::string(name)].push_back(blob);
  }
  StoreListing listing;
  absl::btree_set<std::string> named;
  for (auto& [name, own] : objects) {
    if (!std::ranges::binary_search(own, server::ManifestName(name))) continue;
    absl::StatusOr<Manifest> manifest = server::ReadManifest(store, name);
    // Removed since we listed it.
    if (absl::IsNotFound(manifest.status())) continue;
    if (!manifest.ok() && !absl::IsDataLoss(manifest.status()) &&
        !absl::IsInvalidArgument(manifest.status())) {
      return manifest.status();
    }
    if (manifest.ok()) {
      for (const SnapshotBlob& blob : manifest->blobs) named.insert(blob.name);
      for (const ManifestTrainerBlob& blob : manifest->trainer) named.insert(blob.blob);
    }
    const absl::Time saved = manifest.ok() ? TimeOf(*manifest) : absl::InfinitePast();
    listing.checkpoints.push_back({.name = name,
                                   .manifest = std::move(manifest),
                                   .saved = saved,
                                   .objects = std::exchange(own, {})});
  }
  for (auto& [name, own] : objects) {
    const std::string manifest = server::ManifestName(name);
    std::erase_if(
        own, [&](const std::string& blob) { return named.contains(blob) || blob == manifest; });
    if (own.empty()) continue;
    const bool has_mark =
        std::ranges::binary_search(own, name + "/" + std::string(kRemovalMarkName));
    listing.unfinished.push_back(
        {.name = name, .objects = std::move(own), .is_being_removed = has_mark});
  }
  std::ranges::sort(listing.checkpoints,
                    [](const auto& a, const auto& b) { return AgeOrder(a) < AgeOrder(b); });
  return listing;
}

}  // namespace longtail::checkpoint
