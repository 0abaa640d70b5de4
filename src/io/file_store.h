// Blobs as files of one directory: a blob's name is its path under that directory.
//
// A write goes to "NAME~" beside its place, is made durable, and is then renamed into place; '~' is
// in no legal name, so what an interrupted write left behind is never taken for a blob.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "io/blob_name.h"
#include "io/blob_store.h"

namespace longtail {

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

  /// Errors: InvalidArgument (name); NotFound; ResourceExhausted (larger than kBlobBytesMax);
  ///         Unavailable.
  absl::Status Extend(std::string_view name, std::uint64_t from, std::string_view bytes) override;
  absl::StatusOr<std::string> Read(std::string_view name) override;
  absl::Status ReadInto(std::string_view name, std::string& bytes) override;

  /// Cost: one walk over the directories whose names can match.
  absl::StatusOr<std::vector<std::string>> List(std::string_view prefix) override;

  /// Removes the blob, and the directories that it leaves empty. Durable when it returns.
  absl::Status Remove(std::string_view name) override;

  /// Cost: as List.
  absl::Status RemoveUnfinished(std::string_view prefix) override;

  std::string Describe() const override;

 private:
  explicit FileStore(std::string root) : root_(std::move(root)) {}

  std::string PathOf(std::string_view name) const;
  absl::StatusOr<std::vector<std::string>> Files(std::string_view prefix) const;

  const std::string root_;
};

}  // namespace longtail
