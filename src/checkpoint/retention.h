// Which checkpoints of a store are old enough to go, and their removal.
//
// Checkpoints go in an order that leaves no manifest naming what is not there, wherever it stops:
// removal marks, manifests, the other objects, marks. What an end in mid-way leaves has a mark, so
// the next removal finishes it, whatever it is asked for. An increment needs objects of earlier
// checkpoints: those stay as long as a manifest names them, under the name that they have.
//
// An increment may be written at the same time on top of what is to go. Who removes writes marks,
// then looks for manifests that came since; who saves writes the manifest, then looks whether what
// it builds on has a mark or is gone, and if so takes the manifest back. So at least one of them
// sees the other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "checkpoint/store_listing.h"
#include "io/blob_store.h"

namespace longtail::checkpoint {

struct RetentionPolicy {
  std::size_t keep = 1;                              ///< The newest ones stay, however old.
  absl::Duration older_than = absl::ZeroDuration();  ///< Of the others those that are not stay.
  bool removes_unfinished = false;                   ///< Without a manifest: also those.
};

/// What is to be removed of one checkpoint.
struct Removal {
  std::string name;
  std::string created_at{};  ///< As its manifest says; empty without one.
  /// Of its objects but the manifest, as that says; 0 without one. What several need counts once.
  std::uint64_t bytes = 0;
  bool has_manifest = false;
  bool was_begun = false;              ///< By a removal that did not come to its end.
  std::vector<std::string> objects{};  ///< Without manifest and mark.
};

struct RetentionPlan {
  std::vector<Removal> removals;  ///< Oldest first.
  std::vector<std::string> kept;  ///< Oldest first.
  /// May be under way, so they stay: a store does not say how old an object is.
  std::vector<UnfinishedCheckpoint> unfinished;
};

/// An object that a kept manifest names stays, whoever else names it. A checkpoint whose time is
/// not known is kept, and not one of the newest.
///
/// Errors: DataLoss if a manifest cannot be read: nobody knows what it names.
absl::StatusOr<RetentionPlan> PlanRetention(const StoreListing& listing,
                                            const RetentionPolicy& policy, absl::Time now);

/// Removes what a plan says, but what manifests name that came since; calls `done` after each.
/// Objects that are gone already are no error. A checkpoint of that name must not be written
/// meanwhile.
///
/// Errors: what the store says. What was not removed then is found by the next plan.
absl::Status Remove(BlobStore& store, const RetentionPlan& plan,
                    const std::function<void(const Removal& removal)>& done);

}  // namespace longtail::checkpoint
