// Blobs as files of one directory: a blob's name is its path under that directory.
//
// A write goes to "NAME~" beside its place, is made durable, and is then renamed into place; '~' is
// in no legal name, so what an interrupted write left behind is never taken for a blob.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "io/blob_store.h"
#include "protocol/format_limits.h"

namespace longtail {

/// The largest blob that Read takes into memory, in bytes.
inline constexpr std::uint64_t kFileBlobBytesMax = std::uint64_t{2} << 30;

/// The longest part of a blob's name between '/': what common file systems take, with room for '~'.
inline constexpr std::size_t kBlobNamePartSizeMax = 200;

/// Thread: any; calls may overlap, but not two writes of one name.
class FileStore final : public BlobStore {
 public:
  /// Uses the directory `root`, making it and those above it where they are missing.
  ///
  /// Errors: InvalidArgument (empty root, or a file is in the way); ResourceExhausted (disk full);
  ///         Unavailable, naming the path and the system's reason.
  static absl::StatusOr<std::unique_ptr<FileStore>> Open(std::string_view root);

  /// Cost: the file and its directory are synced to the disk.
  absl::Status Write(std::string_view name, std::string_view bytes) override;

  /// Errors: InvalidArgument (name); NotFound; ResourceExhausted (larger than kFileBlobBytesMax);
  ///         Unavailable.
  absl::Status Extend(std::string_view name, std::uint64_t from, std::string_view bytes) override;
  absl::StatusOr<std::string> Read(std::string_view name) override;

  /// Cost: one walk over the directories whose names can match.
  absl::StatusOr<std::vector<std::string>> List(std::string_view prefix) override;

  /// Removes the blob, and the directories that it leaves empty. Durable when it returns.
  absl::Status Remove(std::string_view name) override;

  std::string Describe() const override;

 private:
  explicit FileStore(std::string root) : root_(std::move(root)) {}

  std::string PathOf(std::string_view name) const;

  const std::string root_;
};

/// Errors: InvalidArgument, naming what is wrong with a blob's name.
absl::Status ValidateBlobName(std::string_view name);

}  // namespace longtail
