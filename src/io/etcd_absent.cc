// Stands for etcd_stores.cc in a build without libcurl.
#include "absl/strings/str_cat.h"
#include "io/etcd_stores.h"

namespace longtail {
namespace {

absl::Status Absent(const std::string& address) {
  return absl::UnimplementedError(
      absl::StrCat("store '", address,
                   "': this Longtail was built without etcd: build it where libcurl is found "
                   "(Debian: libcurl4-openssl-dev), or use a directory"));
}

}  // namespace

absl::StatusOr<std::unique_ptr<MetaStore>> OpenEtcdMetaStore(const std::string& address) {
  return Absent(address);
}

absl::StatusOr<std::unique_ptr<StoreLock>> AcquireEtcdLock(const std::string& address,
                                                           const std::string&, StoreLock::OnLost) {
  return Absent(address);
}

}  // namespace longtail
