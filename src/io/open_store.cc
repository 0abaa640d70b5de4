#include "io/open_store.h"

#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "io/file_store.h"

namespace longtail {

absl::StatusOr<std::string> StoreDirectory(const std::string& address) {
  std::string path = address;
  const std::size_t colon = address.find(':');
  if (colon != std::string::npos && address.find('/') > colon) {
    if (address.substr(0, colon) != "file") {
      return absl::InvalidArgumentError(absl::StrCat("store '", address, "': scheme '",
                                                     address.substr(0, colon),
                                                     "': want a directory or file:DIRECTORY"));
    }
    path = address.substr(colon + 1);
  }
  if (path.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("store '", address, "': want a directory or file:DIRECTORY"));
  }
  return path;
}

absl::StatusOr<std::unique_ptr<BlobStore>> OpenStore(const std::string& address) {
  LONGTAIL_ASSIGN_OR_RETURN(const std::string path, StoreDirectory(address));
  auto store = FileStore::Open(path);
  if (!store.ok()) return store.status();
  return std::unique_ptr<BlobStore>(*std::move(store));
}

absl::StatusOr<std::unique_ptr<BlobStore>> OpenExistingStore(const std::string& address) {
  LONGTAIL_ASSIGN_OR_RETURN(const std::string path, StoreDirectory(address));
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) {
    return absl::NotFoundError(absl::StrCat("store '", address, "': there is no such directory"));
  }
  return OpenStore(address);
}

}  // namespace longtail
