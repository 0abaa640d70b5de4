#include "io/etcd_stores.h"

#include <utility>

#include "base/status_macros.h"
#include "io/etcd_address.h"
#include "io/etcd_lock.h"
#include "io/etcd_meta_store.h"

namespace longtail {

absl::StatusOr<std::unique_ptr<MetaStore>> OpenEtcdMetaStore(const std::string& address) {
  return EtcdMetaStore::Open(address);
}

absl::StatusOr<std::unique_ptr<StoreLock>> AcquireEtcdLock(const std::string& address,
                                                           const std::string& name,
                                                           StoreLock::OnLost on_lost) {
  LONGTAIL_ASSIGN_OR_RETURN(const EtcdAddress parsed, ParseEtcdAddress(address));
  return EtcdLock::Acquire(parsed, name, std::move(on_lost));
}

}  // namespace longtail
