// A store of which this process alone changes a part: the blobs "NAME/...".
#pragma once

#include <functional>
#include <memory>

#include "absl/status/status.h"
#include "io/blob_store.h"
#include "io/store_lock.h"

namespace longtail {

struct HeldStore {
  std::unique_ptr<StoreLock> lock;   ///< Null: the store has its own.
  std::unique_ptr<BlobStore> store;  ///< Null: none is held.
  /// Asks whether this process still has them.
  ///
  /// Errors: FailedPrecondition, another has them; as BlobStore::Read.
  std::function<absl::Status()> check;
};

}  // namespace longtail
