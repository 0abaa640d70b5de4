#include "io/open_meta_store.h"

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "io/etcd_stores.h"
#include "io/file_meta_store.h"
#include "io/rados_stores.h"
#include "io/store_address.h"

namespace longtail {

absl::StatusOr<std::unique_ptr<MetaStore>> OpenMetaStore(const std::string& address) {
  LONGTAIL_ASSIGN_OR_RETURN(const StoreAddress parsed, ParseStoreAddress(address));
  if (parsed.scheme == "rados") return OpenRadosMetaStore(address);
  if (parsed.scheme == "etcd") return OpenEtcdMetaStore(address);
  if (parsed.scheme == "file") return FileMetaStore::Open(parsed.place);
  return absl::InvalidArgumentError(
      absl::StrCat("state '", address, "': scheme '", parsed.scheme,
                   "': want a directory, file:DIRECTORY, rados://POOL[/NAMESPACE] or "
                   "etcd://HOST:PORT[,HOST:PORT...]/PREFIX"));
}

}  // namespace longtail
