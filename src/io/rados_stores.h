// What Ceph offers, by address. Where librados was not there to build with, each says so instead
// (rados_absent.cc).
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "io/blob_store.h"
#include "io/held_store.h"
#include "io/meta_store.h"
#include "io/store_lock.h"

namespace longtail {

/// Errors, of all: Unimplemented (built without librados); as RadosStore, RadosMetaStore and
/// RadosLock.
absl::StatusOr<std::unique_ptr<BlobStore>> OpenRadosStore(const std::string& address);
absl::StatusOr<HeldStore> OpenHeldRadosStore(const std::string& address, const std::string& name,
                                             StoreLock::OnLost on_lost);
absl::StatusOr<std::unique_ptr<MetaStore>> OpenRadosMetaStore(const std::string& address);
absl::StatusOr<std::unique_ptr<StoreLock>> AcquireRadosLock(const std::string& address,
                                                            const std::string& name,
                                                            StoreLock::OnLost on_lost);

}  // namespace longtail
