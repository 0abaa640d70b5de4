#include "checkpoint/retention.h"

#include <algorithm>
#include <utility>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "server/checkpoint_reader.h"

namespace longtail::checkpoint {
namespace {

constexpr std::string_view kRemovalMark = "being removed\n";

std::string MarkName(const std::string& checkpoint) {
  return absl::StrCat(checkpoint, "/", std::string(kRemovalMarkName));
}

// The objects that a manifest names, with their bytes.
absl::btree_map<std::string, std::uint64_t> ObjectsOf(const Manifest& manifest) {
  absl::btree_map<std::string, std::uint64_t> objects;
  for (const SnapshotBlob& blob : manifest.blobs) objects[blob.name] = blob.bytes;
  for (const ManifestTrainerBlob& blob : manifest.trainer) objects[blob.blob] = blob.bytes;
  return objects;
}

absl::Status CheckAllRead(const StoreListing& listing) {
  for (const ListedCheckpoint& listed : listing.checkpoints) {
    if (listed.manifest.ok()) continue;
    return absl::DataLossError(
        absl::StrCat("checkpoint '", listed.name, "': nothing is removed while it is not known ",
                     "what its manifest names: ", listed.manifest.status().message()));
  }
  return absl::OkStatus();
}

Removal RemovalOf(const ListedCheckpoint& listed, const absl::btree_set<std::string>& kept) {
  Removal removal{
      .name = listed.name, .created_at = listed.manifest->created_at, .has_manifest = true};
  const std::string mark = MarkName(listed.name);
  const std::string manifest = server::ManifestName(listed.name);
  absl::btree_map<std::string, std::uint64_t> objects = ObjectsOf(*listed.manifest);
  for (const std::string& object : listed.objects) {
    if (object == mark) removal.was_begun = true;
    if (object != mark && object != manifest) objects.emplace(object, 0);
  }
  for (const auto& [object, bytes] : objects) {
    if (kept.contains(object)) continue;
    removal.objects.push_back(object);
    removal.bytes += bytes;
  }
  return removal;
}

Removal RemovalOf(const UnfinishedCheckpoint& unfinished) {
  Removal removal{.name = unfinished.name,
                  .was_begun = unfinished.is_being_removed,
                  .objects = unfinished.objects};
  std::erase(removal.objects, MarkName(unfinished.name));
  return removal;
}

absl::Status RemoveIfThere(BlobStore& store, const std::string& name) {
  absl::Status status = store.Remove(name);
  return absl::IsNotFound(status) ? absl::OkStatus() : status;
}

absl::Status RemoveOne(BlobStore& store, const Removal& removal) {
  bool has_mark = removal.was_begun;
  if (has_mark && !removal.has_manifest) {
    // Who begins to write a checkpoint of this name takes the mark away first.
    const absl::Status mark = store.Read(MarkName(removal.name)).status();
    if (absl::IsNotFound(mark)) return absl::OkStatus();
    LONGTAIL_RETURN_IF_ERROR(mark);
  }
  if (removal.has_manifest && !has_mark) {
    const absl::Status marked = store.Write(MarkName(removal.name), kRemovalMark);
    // A full store must not keep us from making room in it; only the mark is missing then.
    if (!marked.ok() && !absl::IsResourceExhausted(marked)) return marked;
    has_mark = marked.ok();
  }
  if (removal.has_manifest) {
    LONGTAIL_RETURN_IF_ERROR(RemoveIfThere(store, server::ManifestName(removal.name)));
  }
  for (const std::string& object : removal.objects) {
    LONGTAIL_RETURN_IF_ERROR(RemoveIfThere(store, object));
  }
  if (!removal.has_manifest) {
    LONGTAIL_RETURN_IF_ERROR(store.RemoveUnfinished(absl::StrCat(removal.name, "/")));
  }
  return has_mark ? RemoveIfThere(store, MarkName(removal.name)) : absl::OkStatus();
}

}  // namespace

absl::StatusOr<RetentionPlan> PlanRetention(const StoreListing& listing,
                                            const RetentionPolicy& policy, absl::Time now) {
  LONGTAIL_RETURN_IF_ERROR(CheckAllRead(listing));
  RetentionPlan plan;
  std::vector<const ListedCheckpoint*> going;
  absl::btree_set<std::string> kept;
  const std::size_t count = listing.checkpoints.size();
  for (std::size_t i = 0; i < count; ++i) {
    const ListedCheckpoint& listed = listing.checkpoints[i];
    const bool has_time = listed.saved != absl::InfinitePast();
    if (has_time && i + policy.keep < count && now - listed.saved >= policy.older_than) {
      going.push_back(&listed);
      continue;
    }
    plan.kept.push_back(listed.name);
    for (const auto& [object, bytes] : ObjectsOf(*listed.manifest)) kept.insert(object);
  }
  for (const ListedCheckpoint* listed : going) plan.removals.push_back(RemovalOf(*listed, kept));
  for (const UnfinishedCheckpoint& unfinished : listing.unfinished) {
    if (unfinished.is_being_removed || policy.removes_unfinished) {
      plan.removals.push_back(RemovalOf(unfinished));
    } else {
      plan.unfinished.push_back(unfinished);
    }
  }
  return plan;
}

absl::Status Remove(BlobStore& store, const RetentionPlan& plan,
                    const std::function<void(const Removal& removal)>& done) {
  for (const Removal& removal : plan.removals) {
    LONGTAIL_RETURN_IF_ERROR(RemoveOne(store, removal));
    done(removal);
  }
  return absl::OkStatus();
}

}  // namespace longtail::checkpoint
