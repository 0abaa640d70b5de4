// A table made for serving: one file that is mapped and looked up as it lies (docs/FORMATS.md,
// "Serving file").
//
//   header | segment 0: lines, rows | segment 1 … | directory of segments | checksums of blocks
//
// A segment has the keys whose hash begins with its number. Its lines are a hash table that is
// never added to: keys in the order of their hashes, each in its home line or, if that is full, in
// one of the next. A line says which row its first key has; the others follow.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "longtail/ids.h"
#include "longtail/row_format.h"
#include "longtail/table_spec.h"

namespace longtail {

inline constexpr std::string_view kServingMagic = "LTSERVTB";
inline constexpr std::uint32_t kServingVersion = 1;
inline constexpr std::size_t kServingFixedBytes = 128;   ///< Of the header, before the spec.
inline constexpr std::size_t kServingAlignment = 64;     ///< Of header, lines and segments.
inline constexpr std::size_t kServingSegmentBytes = 24;  ///< Of the directory, each.
inline constexpr std::size_t kServingBlockBytes = std::size_t{1} << 20;  ///< Under one checksum.
inline constexpr std::uint32_t kServingSegmentCountMax = 65536;

enum class ServingKind : std::uint32_t {
  kRows = 0,     ///< All rows of a table.
  kChanges = 1,  ///< Rows that changed since a file of all rows, and keys whose rows went.
};

struct ServingHeader {
  ServingKind kind = ServingKind::kRows;
  WireValues values = WireValues::kFloat32;
  std::uint32_t row_bytes = 0;
  std::uint32_t segments = 1;  ///< A power of two.
  std::uint64_t rows = 0;
  std::uint64_t gone = 0;           ///< Keys whose rows went.
  std::uint64_t step = 0;           ///< Of the checkpoint.
  std::uint64_t checkpoint = 0;     ///< CheckpointIdentity.
  std::uint64_t base = 0;           ///< Of changes: that of the checkpoint they are changes of.
  std::uint64_t header_bytes = 0;   ///< With the spec: where the first segment begins.
  std::uint64_t directory = 0;      ///< Where it begins.
  std::uint64_t bytes = 0;          ///< Of the file.
  std::uint64_t tail_checksum = 0;  ///< Over all from the directory on.
  TableSpec spec{};

  std::size_t segment_bits() const { return static_cast<std::size_t>(std::countr_zero(segments)); }
};

/// One entry of the directory.
struct ServingSegment {
  std::uint64_t offset = 0;      ///< Of its lines; its rows follow them.
  std::uint32_t home_lines = 0;  ///< That a hash can choose; 0 if there is no key.
  std::uint32_t lines = 0;       ///< These, and those behind them that took what had no room.
  std::uint32_t rows = 0;
  std::uint32_t gone = 0;
};

/// A line as it lies in the file.
struct ServingLine {
  static constexpr std::size_t kKeys = 7;
  static constexpr std::uint8_t kGoesOn = 1;  ///< Keys of this home or one before are behind it.

  std::uint32_t first_row = 0;  ///< In the segment: the row of its first key that has one.
  std::uint8_t count = 0;       ///< Keys.
  std::uint8_t flags = 0;
  std::uint8_t gone = 0;  ///< A bit a key: it has no row, and none of an older file counts.
  std::uint8_t zero = 0;
  std::array<Key, kKeys> keys{};  ///< Ascending by hash; behind them zeros.

  bool goes_on() const { return (flags & kGoesOn) != 0; }
};
static_assert(sizeof(ServingLine) == 64);

/// Keys per home line, on average: of seven places five are taken, and one key in thirty is in
/// another line than its home.
inline constexpr std::uint64_t kServingKeysPerLine = 5;

/// The line of a segment where a hash is looked for first; home_lines > 0.
inline std::uint64_t ServingHomeLine(std::uint64_t hash, std::size_t segment_bits,
                                     std::uint32_t home_lines) {
  __extension__ using Wide = unsigned __int128;
  return static_cast<std::uint64_t>(Wide{hash << segment_bits} * home_lines >> 64);
}

inline std::uint64_t ServingSegmentOf(std::uint64_t hash, std::size_t segment_bits) {
  return segment_bits == 0 ? 0 : hash >> (64 - segment_bits);
}

/// The header and the spec behind it, with zeros up to the first segment; header_bytes, which
/// ServingHeaderBytes gives, must be right.
std::string EncodeServingHeader(const ServingHeader& header);

/// Checks a whole file's header, that the file has the size it says, and directory and block
/// checksums against their checksum; `what` names it in messages.
///
/// Errors: InvalidArgument (foreign, newer, or what cannot be); DataLoss (truncated or damaged).
absl::StatusOr<ServingHeader> DecodeServingHeader(const std::string& what,
                                                  std::span<const std::byte> file);

/// Appends an entry to a directory.
void AppendServingSegment(const ServingSegment& segment, std::string& directory);

/// The entry of that number, of a file whose header was decoded. Checked: it lies between header
/// and directory, and its rows are no more than its lines have keys.
///
/// Errors: InvalidArgument, naming `what` and the segment.
absl::StatusOr<ServingSegment> DecodeServingSegment(const std::string& what,
                                                    std::span<const std::byte> file,
                                                    const ServingHeader& header,
                                                    std::uint32_t number);

/// Bytes of a header with that spec.
std::uint64_t ServingHeaderBytes(const TableSpec& spec);

/// Blocks of the segments, the last of which may be short; the header's directory must be known.
std::uint64_t ServingBlockCount(const ServingHeader& header);

}  // namespace longtail
