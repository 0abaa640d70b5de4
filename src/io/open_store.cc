#include "io/open_store.h"

#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "io/file_store.h"
#include "io/rados_stores.h"
#include "io/store_address.h"

namespace longtail {

absl::StatusOr<std::unique_ptr<BlobStore>> OpenStore(const std::string& address) {
  LONGTAIL_ASSIGN_OR_RETURN(const StoreAddress parsed, ParseStoreAddress(address));
  if (parsed.scheme == "rados") return OpenRadosStore(address);
  if (parsed.scheme == "file") return FileStore::Open(parsed.place);
  return absl::InvalidArgumentError(
      absl::StrCat("store '", address, "': scheme '", parsed.scheme,
                   "': want a directory, file:DIRECTORY or rados://POOL[/NAMESPACE]"));
}

absl::StatusOr<std::unique_ptr<BlobStore>> OpenExistingStore(const std::string& address) {
  LONGTAIL_ASSIGN_OR_RETURN(const StoreAddress parsed, ParseStoreAddress(address));
  std::error_code ignored;
  if (parsed.scheme == "file" && !std::filesystem::exists(parsed.place, ignored)) {
    return absl::NotFoundError(absl::StrCat("store '", address, "': there is no such directory"));
  }
  return OpenStore(address);
}

}  // namespace longtail
