#include "io/open_store.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "io/file_store.h"

namespace longtail {

absl::StatusOr<std::unique_ptr<BlobStore>> OpenStore(const std::string& address) {
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
  auto store = FileStore::Open(path);
  if (!store.ok()) return store.status();
  return std::unique_ptr<BlobStore>(*std::move(store));
}

}  // namespace longtail
