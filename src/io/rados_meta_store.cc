#include "io/rados_meta_store.h"

#include <algorithm>
#include <cerrno>

#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "io/rados_operation.h"
#include "io/this_process.h"
#include "protocol/checksum.h"

namespace longtail {

absl::StatusOr<std::unique_ptr<RadosMetaStore>> RadosMetaStore::Open(const std::string& address) {
  LONGTAIL_ASSIGN_OR_RETURN(RadosAddress parsed, ParseRadosAddress(address));
  parsed.timeout = std::min(parsed.timeout, kMetaTimeoutMax);
  LONGTAIL_ASSIGN_OR_RETURN(std::unique_ptr<RadosPool> pool, RadosPool::Connect(parsed));
  return std::unique_ptr<RadosMetaStore>(new RadosMetaStore(std::move(pool)));
}

absl::StatusOr<RadosMetaStore::Found> RadosMetaStore::Find(const std::string& name) const {
  Found found;
  std::string bytes(kMetaBytesMax + 1, '\0');
  RadosRead read;
  read.Start(*pool_, name, bytes);
  const int error = read.Wait();
  if (error == -ENOENT) return found;
  if (error < 0) return pool_->Problem(error, "reading value", name);
  const std::string what = absl::StrCat(Describe(), ": object '", name, "'");
  LONGTAIL_ASSIGN_OR_RETURN(const ObjectHeader header, read.Header(what));
  if (header.part_count != 1 || header.blob_bytes > kMetaBytesMax) {
    return absl::InvalidArgumentError(absl::StrCat(what, ": a blob of ", header.blob_bytes,
                                                   " bytes: want a value, of at most ",
                                                   kMetaBytesMax));
  }
  bytes.resize(read.size());
  LONGTAIL_RETURN_IF_ERROR(CheckObjectData(what, header, bytes));
  found.value = {.bytes = std::move(bytes), .version = read.version()};
  found.write_id = header.write_id;
  return found;
}

absl::StatusOr<MetaValue> RadosMetaStore::Read(std::string_view name) {
  LONGTAIL_RETURN_IF_ERROR(ValidateMetaValue(name, ""));
  LONGTAIL_ASSIGN_OR_RETURN(Found found, Find(std::string(name)));
  return std::move(found.value);
}

absl::StatusOr<std::uint64_t> RadosMetaStore::Swap(std::string_view name, std::string_view bytes,
                                                   std::uint64_t expected) {
  LONGTAIL_RETURN_IF_ERROR(ValidateMetaValue(name, bytes));
  const std::string object(name);
  for (;;) {
    const ObjectHeader header{
        .part = 0,
        .part_count = 1,
        .part_bytes = std::max<std::uint32_t>(1, static_cast<std::uint32_t>(bytes.size())),
        .blob_bytes = bytes.size(),
        .write_id = DrawIncarnation(),
        .checksum = Checksum(AsBytes(bytes))};
    RadosWrite write;
    if (expected == 0) {
      rados_write_op_create(write.operation(), LIBRADOS_CREATE_EXCLUSIVE, nullptr);
    } else {
      rados_write_op_assert_version(write.operation(), expected);
    }
    write.Replace(bytes, header);
    write.Start(*pool_, object);
    const int error = write.Wait();
    if (error == 0) {
      const MutexLock lock(&mutex_);
      unknown_.erase(object);
      return write.version();
    }
    if (!IsChanged(error)) {
      if (error == -ETIMEDOUT) {
        const MutexLock lock(&mutex_);
        unknown_[object].push_back(header.write_id);
      }
      return pool_->Problem(error, absl::StrCat("writing ", bytes.size(), " bytes to value"),
                            object);
    }
    LONGTAIL_ASSIGN_OR_RETURN(const Found found, Find(object));
    if (found.value.version == expected || !IsOfUnknownOutcome(object, found.write_id)) {
      return absl::AbortedError(absl::StrCat(
          "value '", object, "' in ", Describe(), " was changed by another since it was read: it ",
          "has version ", found.value.version, ": want ", expected));
    }
    expected = found.value.version;  // What nobody answered was done.
  }
}

bool RadosMetaStore::IsOfUnknownOutcome(const std::string& name, std::uint64_t write_id) {
  const MutexLock lock(&mutex_);
  const auto writes = unknown_.find(name);
  return writes != unknown_.end() &&
         std::ranges::find(writes->second, write_id) != writes->second.end();
}

}  // namespace longtail
