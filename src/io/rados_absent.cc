// Stands for rados_stores.cc in a build without librados.
#include "absl/strings/str_cat.h"
#include "io/rados_stores.h"

namespace longtail {
namespace {

absl::Status Absent(const std::string& address) {
  return absl::UnimplementedError(
      absl::StrCat("store '", address,
                   "': this Longtail was built without Ceph: build it where librados is found "
                   "(Debian: librados-dev), or use a directory"));
}

}  // namespace

absl::StatusOr<std::unique_ptr<BlobStore>> OpenRadosStore(const std::string& address) {
  return Absent(address);
}

absl::StatusOr<HeldStore> OpenHeldRadosStore(const std::string& address, const std::string&,
                                             StoreLock::OnLost) {
  return Absent(address);
}

absl::StatusOr<std::unique_ptr<MetaStore>> OpenRadosMetaStore(const std::string& address) {
  return Absent(address);
}

absl::StatusOr<std::unique_ptr<StoreLock>> AcquireRadosLock(const std::string& address,
                                                            const std::string&, StoreLock::OnLost) {
  return Absent(address);
}

}  // namespace longtail
