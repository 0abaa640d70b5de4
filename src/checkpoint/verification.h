// Reads all of a checkpoint and says all that is wrong with it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "io/blob_store.h"

namespace longtail::checkpoint {

/// Bytes of an object, `end` not among them.
struct ByteRange {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;

  bool operator==(const ByteRange&) const = default;
};

/// One thing that is wrong.
struct Damage {
  std::string object;                        ///< Its name in the store.
  std::optional<std::uint32_t> partition{};  ///< None: it is of no partition.
  /// Whose rows the object holds. If it cannot be read: those it may hold, by the chunks beside it.
  std::vector<std::string> tables{};
  /// Where the damage is. Exact if the object is cut short, and for one flipped bit as far as
  /// PutFlippedBitBack finds it; else all that the checksum covers.
  std::optional<ByteRange> bytes{};
  std::optional<int> bit{};  ///< The one that is flipped, of the byte above.
  std::string problem{};     ///< A sentence.
};

struct Verification {
  std::string name;
  std::uint64_t objects = 0;  ///< That were read, the manifest too.
  std::uint64_t bytes = 0;
  std::uint64_t rows = 0;  ///< Of chunks that could be read.
  std::vector<Damage> damages;

  bool is_whole() const { return damages.empty(); }
};

/// Reads every object and goes on after damage. Checked are: sizes and checksums; that each
/// partition is there with each chunk, the last of which says so; what chunks say of themselves
/// against the manifest; that each key is in its partition, and once; widths and numbers of rows;
/// that the trainer's entries unpack.
///
/// Errors: NotFound (no such checkpoint); what the store says, once it does not answer three times
///         in a row: that is no damage.
/// Cost:   memory of a chunk, and 8 bytes for each row of one partition; up to a second for each of
///         the first eight objects whose checksum is wrong, to look for the bit.
absl::StatusOr<Verification> VerifyCheckpoint(BlobStore& store, const std::string& name);

}  // namespace longtail::checkpoint
