// Reads objects and compares them with what a manifest says of them; goes on after damage.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "checkpoint/damage.h"
#include "io/blob_store.h"

namespace longtail::checkpoint {

/// What was read of an object.
struct CheckedObject {
  std::optional<std::string> bytes{};  ///< As the manifest has them, if need be after one bit.
  bool is_whole = false;               ///< No damage was told.
};

/// Thread: one at a time.
class CheckedReader {
 public:
  /// `store` must outlive this object.
  explicit CheckedReader(BlobStore& store) : store_(store) {}

  /// Appends what is wrong to `damages`. An object that cannot be read (a bad disk) is damage.
  ///
  /// Errors: Unavailable, DeadlineExceeded, the third time in a row: then the store is away; what
  ///         else it says that is of no single object.
  /// Cost:   up to a second for each of the first eight objects whose checksum is wrong, to look
  ///         for the bit.
  absl::StatusOr<CheckedObject> Read(const std::string& name, std::uint64_t size,
                                     std::uint64_t checksum, std::vector<Damage>& damages);

  std::uint64_t objects() const { return objects_; }  ///< That were read.
  std::uint64_t bytes() const { return bytes_; }

 private:
  BlobStore& store_;
  std::uint64_t objects_ = 0;
  std::uint64_t bytes_ = 0;
  int unanswered_ = 0;  // In a row.
  int bit_searches_ = 0;
};

}  // namespace longtail::checkpoint
