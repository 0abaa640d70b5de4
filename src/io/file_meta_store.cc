#include "io/file_meta_store.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "io/file_lock.h"
#include "protocol/checksum.h"

namespace longtail {
namespace {

constexpr absl::Duration kWaitMax = absl::Seconds(10);
constexpr absl::Duration kWaitEach = absl::Milliseconds(5);

std::uint64_t VersionOf(std::string_view bytes) {
  const std::uint64_t checksum = Checksum(AsBytes(bytes));
  return checksum == 0 ? 1 : checksum;  // 0 says that there is no value.
}

}  // namespace

absl::StatusOr<std::unique_ptr<FileMetaStore>> FileMetaStore::Open(const std::string& directory) {
  LONGTAIL_ASSIGN_OR_RETURN(std::unique_ptr<FileStore> store, FileStore::Open(directory));
  return std::unique_ptr<FileMetaStore>(new FileMetaStore(directory, std::move(store)));
}

absl::StatusOr<MetaValue> FileMetaStore::Read(std::string_view name) {
  absl::StatusOr<std::string> bytes = store_->Read(name);
  if (absl::IsNotFound(bytes.status())) return MetaValue{};
  LONGTAIL_RETURN_IF_ERROR(bytes.status());
  const std::uint64_t version = VersionOf(*bytes);
  return MetaValue{.bytes = *std::move(bytes), .version = version};
}

absl::StatusOr<std::uint64_t> FileMetaStore::Swap(std::string_view name, std::string_view bytes,
                                                  std::uint64_t expected) {
  LONGTAIL_RETURN_IF_ERROR(ValidateMetaValue(name, bytes));
  const absl::Time until = absl::Now() + kWaitMax;
  absl::StatusOr<std::unique_ptr<StoreLock>> lock = FileLock::Acquire(directory_, "swap");
  while (absl::IsFailedPrecondition(lock.status()) && absl::Now() < until) {
    absl::SleepFor(kWaitEach);
    lock = FileLock::Acquire(directory_, "swap");
  }
  if (absl::IsFailedPrecondition(lock.status())) {
    return absl::UnavailableError(std::string(lock.status().message()));
  }
  LONGTAIL_RETURN_IF_ERROR(lock.status());
  LONGTAIL_ASSIGN_OR_RETURN(const MetaValue found, Read(name));
  if (found.version != expected) {
    return absl::AbortedError(absl::StrCat("value '", std::string(name), "' in ", Describe(),
                                           " was changed by another since it was read"));
  }
  LONGTAIL_RETURN_IF_ERROR(store_->Write(name, bytes));
  return VersionOf(bytes);
}

}  // namespace longtail
