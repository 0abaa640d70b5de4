#include "checkpoint/retention.h"

#include <algorithm>
#include <utility>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "server/checkpoint_layers.h"
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

// A removal under way.
struct Marked {
  const Removal& removal;
  // Checkpoints that have a mark now, its own and those whose objects it used.
  absl::btree_set<std::string> marks{};
  bool is_off = false;  // Somebody writes a checkpoint of that name.
};

// Marks what is to go, so that what an end in mid-way leaves is found again, and so that nobody
// builds on it any more.
absl::StatusOr<Marked> Mark(BlobStore& store, const Removal& removal) {
  Marked marked{.removal = removal};
  if (removal.was_begun && !removal.has_manifest) {
    // Who begins to write a checkpoint of this name takes the mark away first.
    const absl::Status mark = store.Read(MarkName(removal.name)).status();
    marked.is_off = absl::IsNotFound(mark);
    if (!mark.ok() && !marked.is_off) return mark;
  }
  absl::btree_set<std::string> wanted;
  if (removal.has_manifest) {
    wanted.insert(removal.name);
    for (const std::string& object : removal.objects) {
      wanted.insert(std::string(server::CheckpointOfBlob(object)));
    }
  }
  if (removal.was_begun) {
    wanted.erase(removal.name);
    marked.marks.insert(removal.name);
  }
  for (const std::string& checkpoint : wanted) {
    const absl::Status status = store.Write(MarkName(checkpoint), kRemovalMark);
    // A full store must not keep us from making room in it; only the mark is missing then.
    if (!status.ok() && !absl::IsResourceExhausted(status)) return status;
    if (status.ok()) marked.marks.insert(checkpoint);
  }
  return marked;
}

// All that manifests name which are there now and do not go. One that was written since the plan
// was made may build on what goes: its writer looks for marks once it is there, and we for it once
// the marks are.
absl::StatusOr<absl::btree_set<std::string>> NamedNow(BlobStore& store, const RetentionPlan& plan) {
  absl::btree_set<std::string> going;
  for (const Removal& removal : plan.removals) {
    if (removal.has_manifest) going.insert(removal.name);
  }
  LONGTAIL_ASSIGN_OR_RETURN(const StoreListing listing, ListStore(store));
  LONGTAIL_RETURN_IF_ERROR(CheckAllRead(listing));
  absl::btree_set<std::string> named;
  for (const ListedCheckpoint& listed : listing.checkpoints) {
    if (going.contains(listed.name)) continue;
    for (const auto& [object, bytes] : ObjectsOf(*listed.manifest)) named.insert(object);
  }
  return named;
}

absl::Status RemoveObjects(BlobStore& store, const Marked& marked,
                           const absl::btree_set<std::string>& named) {
  const Removal& removal = marked.removal;
  for (const std::string& object : removal.objects) {
    if (named.contains(object)) continue;
    LONGTAIL_RETURN_IF_ERROR(RemoveIfThere(store, object));
  }
  if (!removal.has_manifest) {
    LONGTAIL_RETURN_IF_ERROR(store.RemoveUnfinished(absl::StrCat(removal.name, "/")));
  }
  for (const std::string& checkpoint : marked.marks) {
    LONGTAIL_RETURN_IF_ERROR(RemoveIfThere(store, MarkName(checkpoint)));
  }
  return absl::OkStatus();
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
  for (const ListedCheckpoint* listed : going) {
    plan.removals.push_back(RemovalOf(*listed, kept));
    // What several use goes once.
    const std::vector<std::string>& objects = plan.removals.back().objects;
    kept.insert(objects.begin(), objects.end());
  }
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
  std::vector<Marked> going;
  for (const Removal& removal : plan.removals) {
    LONGTAIL_ASSIGN_OR_RETURN(Marked marked, Mark(store, removal));
    if (!marked.is_off) going.push_back(std::move(marked));
  }
  if (going.empty()) return absl::OkStatus();
  LONGTAIL_ASSIGN_OR_RETURN(const absl::btree_set<std::string> named, NamedNow(store, plan));
  // All manifests before any object: one may need what another wrote.
  for (const Marked& marked : going) {
    if (!marked.removal.has_manifest) continue;
    LONGTAIL_RETURN_IF_ERROR(RemoveIfThere(store, server::ManifestName(marked.removal.name)));
  }
  for (const Marked& marked : going) {
    LONGTAIL_RETURN_IF_ERROR(RemoveObjects(store, marked, named));
    done(marked.removal);
  }
  return absl::OkStatus();
}

}  // namespace longtail::checkpoint
