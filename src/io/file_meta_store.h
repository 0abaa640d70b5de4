// Values as files of a directory; a value's version is a checksum of its bytes.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "io/file_store.h"
#include "io/meta_store.h"

namespace longtail {

/// A Swap holds "swap~lock" in the directory with flock, so those of several processes follow one
/// another. Equal bytes have equal versions: to who swaps them, nothing has changed. Thread: any.
class FileMetaStore final : public MetaStore {
 public:
  /// Errors: as FileStore::Open.
  static absl::StatusOr<std::unique_ptr<FileMetaStore>> Open(const std::string& directory);

  absl::StatusOr<MetaValue> Read(std::string_view name) override;

  /// Errors: also Unavailable, if others swap for longer than 10 s.
  absl::StatusOr<std::uint64_t> Swap(std::string_view name, std::string_view bytes,
                                     std::uint64_t expected) override;

  std::string Describe() const override { return store_->Describe(); }

 private:
  FileMetaStore(std::string directory, std::unique_ptr<FileStore> store)
      : directory_(std::move(directory)), store_(std::move(store)) {}

  const std::string directory_;
  const std::unique_ptr<FileStore> store_;
};

}  // namespace longtail
