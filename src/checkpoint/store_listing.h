// What a store has of checkpoints: whole ones, damaged ones, and objects that no manifest names.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "io/blob_store.h"
#include "protocol/manifest.h"

namespace longtail::checkpoint {

/// A checkpoint with a manifest, whole or not.
struct ListedCheckpoint {
  std::string name;
  absl::StatusOr<Manifest> manifest;  ///< An error: it is damaged, or of a newer version.
  /// When it was saved; absl::InfinitePast() if its manifest says no time that can be read.
  absl::Time saved = absl::InfinitePast();
  std::vector<std::string> objects{};  ///< All under its name, ascending, the manifest too.
};

/// Objects without a manifest: being written, or what an end in mid-write or mid-removal left.
struct UnfinishedCheckpoint {
  std::string name;
  std::vector<std::string> objects;  ///< Ascending; none that a manifest of the store names.
  bool is_being_removed = false;     ///< Has a removal mark.
};

struct StoreListing {
  std::vector<ListedCheckpoint> checkpoints;  ///< Oldest first.
  std::vector<UnfinishedCheckpoint> unfinished;
};

/// Looks at names and reads manifests, nothing else. What is no object of a checkpoint, such as the
/// log of a lane, is not listed.
///
/// Errors: what the store says; a damaged manifest is none.
/// Cost:   memory of all manifests.
absl::StatusOr<StoreListing> ListStore(BlobStore& store);

}  // namespace longtail::checkpoint
