// The seam between checkpoints and where they are kept: named blobs of bounded size.
//
// Implementations: files (file_store.h), objects in Ceph (rados_store.h) and, in tests, one that
// fails on purpose.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace longtail {

/// The largest blob, in bytes: Read takes it into memory.
inline constexpr std::uint64_t kBlobBytesMax = std::uint64_t{2} << 30;

/// Names are relative paths of [a-zA-Z0-9._-] parts separated by '/', no part "." or "..".
///
/// Thread: any; calls may overlap, but not two writes of one name.
class BlobStore {
 public:
  virtual ~BlobStore() = default;

  /// Writes a whole blob, replacing one of that name; when it returns OK the blob is durable. A
  /// crash leaves the old blob or the new one, never a part.
  ///
  /// Errors: InvalidArgument (name); ResourceExhausted (disk full, quota); PermissionDenied;
  ///         Unavailable (store away).
  virtual absl::Status Write(std::string_view name, std::string_view bytes) = 0;

  /// Makes the blob its first `from` bytes and then `bytes`: appends, or writes a failed append
  /// again. With `from` 0 there need be no blob. When it returns OK the bytes are durable; after an
  /// error or a crash the first `from` are there, and behind them anything.
  ///
  /// Errors: as Write; FailedPrecondition if the blob has fewer than `from` bytes.
  virtual absl::Status Extend(std::string_view name, std::uint64_t from,
                              std::string_view bytes) = 0;

  /// Errors: NotFound; Unavailable; DataLoss (the store itself finds damage).
  virtual absl::StatusOr<std::string> Read(std::string_view name) = 0;

  /// The same in place of what `bytes` has, whose memory a store may use again. After an error it
  /// has anything.
  virtual absl::Status ReadInto(std::string_view name, std::string& bytes) {
    absl::StatusOr<std::string> read = Read(name);
    if (read.ok()) bytes = *std::move(read);
    return read.status();
  }

  /// All names that begin with `prefix`, ascending.
  virtual absl::StatusOr<std::vector<std::string>> List(std::string_view prefix) = 0;

  /// Errors: NotFound.
  virtual absl::Status Remove(std::string_view name) = 0;

  /// Removes what interrupted writes of names with that prefix left behind, which is no blob. Only
  /// while nobody writes such a name.
  virtual absl::Status RemoveUnfinished(std::string_view prefix) = 0;

  /// Where the store is, for messages: "file:/data/checkpoints", "rados://pool/jobs".
  virtual std::string Describe() const = 0;
};

}  // namespace longtail
