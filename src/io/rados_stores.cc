#include "io/rados_stores.h"

#include <utility>

#include "base/status_macros.h"
#include "io/rados_address.h"
#include "io/rados_lock.h"
#include "io/rados_meta_store.h"
#include "io/rados_store.h"

namespace longtail {

absl::StatusOr<std::unique_ptr<BlobStore>> OpenRadosStore(const std::string& address) {
  return RadosStore::Open(address);
}

absl::StatusOr<HeldStore> OpenHeldRadosStore(const std::string& address, const std::string& name,
                                             StoreLock::OnLost on_lost) {
  LONGTAIL_ASSIGN_OR_RETURN(std::unique_ptr<RadosStore> store,
                            RadosStore::OpenHeld(address, name, std::move(on_lost)));
  HeldStore held;
  held.check = [holder = store.get()] { return holder->CheckHold(); };
  held.store = std::move(store);
  return held;
}

absl::StatusOr<std::unique_ptr<MetaStore>> OpenRadosMetaStore(const std::string& address) {
  return RadosMetaStore::Open(address);
}

absl::StatusOr<std::unique_ptr<StoreLock>> AcquireRadosLock(const std::string& address,
                                                            const std::string& name,
                                                            StoreLock::OnLost on_lost) {
  LONGTAIL_ASSIGN_OR_RETURN(const RadosAddress parsed, ParseRadosAddress(address));
  return RadosLock::Acquire(parsed, name, std::move(on_lost));
}

}  // namespace longtail
