#include "io/store_lock.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "io/etcd_stores.h"
#include "io/file_lock.h"
#include "io/rados_stores.h"
#include "io/store_address.h"

namespace longtail {

absl::StatusOr<std::unique_ptr<StoreLock>> StoreLock::Acquire(const std::string& address,
                                                              const std::string& name,
                                                              OnLost on_lost) {
  LONGTAIL_ASSIGN_OR_RETURN(const StoreAddress parsed, ParseStoreAddress(address));
  if (parsed.scheme == "rados") return AcquireRadosLock(address, name, std::move(on_lost));
  if (parsed.scheme == "etcd") return AcquireEtcdLock(address, name, std::move(on_lost));
  if (parsed.scheme == "file") return FileLock::Acquire(parsed.place, name);
  return absl::InvalidArgumentError(
      absl::StrCat("lock on '", address, "': scheme '", parsed.scheme,
                   "': want a directory, file:DIRECTORY, rados://POOL[/NAMESPACE] or "
                   "etcd://HOST:PORT[,HOST:PORT...]/PREFIX"));
}

}  // namespace longtail
