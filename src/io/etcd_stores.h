// What etcd offers, by address. Where libcurl was not there to build with, each says so instead
// (etcd_absent.cc).
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "io/meta_store.h"
#include "io/store_lock.h"

namespace longtail {

/// Errors, of both: Unimplemented (built without libcurl); as EtcdMetaStore and EtcdLock.
absl::StatusOr<std::unique_ptr<MetaStore>> OpenEtcdMetaStore(const std::string& address);
absl::StatusOr<std::unique_ptr<StoreLock>> AcquireEtcdLock(const std::string& address,
                                                           const std::string& name,
                                                           StoreLock::OnLost on_lost);

}  // namespace longtail
