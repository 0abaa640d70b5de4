#include "io/etcd_meta_store.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "io/this_process.h"

namespace longtail {
namespace {

constexpr std::size_t kWriteIdBytes = sizeof(std::uint64_t);

}  // namespace

absl::StatusOr<std::unique_ptr<EtcdMetaStore>> EtcdMetaStore::Open(const std::string& address) {
  LONGTAIL_ASSIGN_OR_RETURN(EtcdAddress parsed, ParseEtcdAddress(address));
  parsed.timeout = std::min(parsed.timeout, kMetaTimeoutMax);
  return std::unique_ptr<EtcdMetaStore>(new EtcdMetaStore(std::move(parsed)));
}

std::string EtcdMetaStore::KeyOf(std::string_view name) const {
  return absl::StrCat(gateway_.address().prefix, "/", std::string(name));
}

absl::StatusOr<MetaValue> EtcdMetaStore::Read(std::string_view name) {
  LONGTAIL_RETURN_IF_ERROR(ValidateMetaValue(name, ""));
  LONGTAIL_ASSIGN_OR_RETURN(EtcdGateway::Value found, gateway_.Get(KeyOf(name)));
  if (found.mod_revision != 0 && found.bytes.size() < kWriteIdBytes) {
    return absl::DataLossError(absl::StrCat(Describe(), ": key '", KeyOf(name),
                                            "': ", found.bytes.size(), " bytes: want at least ",
                                            kWriteIdBytes));
  }
  if (found.mod_revision != 0) found.bytes.erase(0, kWriteIdBytes);
  return MetaValue{.bytes = std::move(found.bytes), .version = found.mod_revision};
}

absl::StatusOr<std::uint64_t> EtcdMetaStore::Swap(std::string_view name, std::string_view bytes,
                                                  std::uint64_t expected) {
  LONGTAIL_RETURN_IF_ERROR(ValidateMetaValue(name, bytes));
  const std::string key = KeyOf(name);
  std::string write_id;
  ByteWriter(write_id).U64(DrawIncarnation());
  for (;;) {
    const absl::StatusOr<std::uint64_t> version =
        gateway_.Replace({.key = key,
                          .bytes = absl::StrCat(write_id, std::string(bytes)),
                          .expected = expected,
                          .lease = 0});
    if (!version.ok() || *version == 0) {
      // One member may have done it and not said so before another was asked.
      const MutexLock lock(&mutex_);
      unknown_[key].push_back(write_id);
    }
    if (!version.ok()) return version;
    if (*version != 0) {
      const MutexLock lock(&mutex_);
      unknown_.erase(key);
      return version;
    }
    LONGTAIL_ASSIGN_OR_RETURN(const EtcdGateway::Value found, gateway_.Get(key));
    const std::string found_id = found.bytes.substr(0, kWriteIdBytes);
    if (found_id == write_id) return found.mod_revision;
    if (found.mod_revision == expected || !IsOfUnknownOutcome(key, found_id)) {
      return absl::AbortedError(absl::StrCat("value '", std::string(name), "' in ", Describe(),
                                             " was changed by another since it was ",
                                             "read: it has version ", found.mod_revision, ": want ",
                                             expected));
    }
    expected = found.mod_revision;
  }
}

bool EtcdMetaStore::IsOfUnknownOutcome(const std::string& key, const std::string& write_id) {
  const MutexLock lock(&mutex_);
  const auto writes = unknown_.find(key);
  return writes != unknown_.end() &&
         std::ranges::find(writes->second, write_id) != writes->second.end();
}

}  // namespace longtail
