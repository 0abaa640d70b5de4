// One chunk of one partition's snapshot, as values and as a blob.
//
// A blob is a header of 72 bytes and a zstd-compressed body (docs/FORMATS.md). Chunks of a
// partition are independent: each names its tables and their specs again. A chunk of an increment
// is of the second version, with the keys whose rows went and perhaps with rounded values; all
// others are of the first.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "longtail/row_format.h"
#include "longtail/table_spec.h"
#include "protocol/blob_envelope.h"
#include "protocol/messages.h"
#include "protocol/node_ids.h"

namespace longtail {

inline constexpr std::string_view kSnapshotMagic = "LTSNAPSH";
inline constexpr std::uint32_t kSnapshotVersion = 1;
inline constexpr std::uint32_t kSnapshotIncrementVersion = 2;
inline constexpr std::size_t kSnapshotHeaderBytes = 72;
inline constexpr BlobEnvelope kSnapshotEnvelope{.magic = kSnapshotMagic,
                                                .version = kSnapshotIncrementVersion,
                                                .header_bytes = kSnapshotHeaderBytes};

/// What every chunk of a partition's snapshot says first.
struct SnapshotHeader {
  PartitionId partition{};
  std::uint32_t partition_count = 1;
  std::uint32_t chunk = 0;         ///< 0, 1, … within the partition.
  bool is_last = false;            ///< No chunk of the partition follows.
  std::uint64_t log_position = 0;  ///< Where the snapshot was cut.
  std::uint64_t step = 0;          ///< Steps applied by then.
  bool is_increment = false;       ///< Rows that changed since another snapshot, not all of them.
  /// Of an increment: how its weights are written. Optimizer state is written in bf16 beside
  /// weights in fewer bits than fp32, numbers of steps as they are.
  WireValues values = WireValues::kFloat32;

  bool operator==(const SnapshotHeader&) const = default;
};

/// A worker's registration as its partition remembers it.
struct SessionRecord {
  SessionId session{};
  std::uint32_t rank = 0;
  std::uint64_t next_sequence = 0;
  std::uint64_t first_step = 0;  ///< The first step the worker takes part in.

  bool operator==(const SessionRecord&) const = default;
};

struct SnapshotTable {
  TableSpec spec;
  RowBlock rows;            ///< With the table's id and the width of its rows.
  std::vector<Key> gone{};  ///< Of an increment: keys that have no row any more.
  /// Of an increment: the last values of a row that are never rounded.
  std::uint32_t exact_count = 0;
};

struct SnapshotChunk {
  SnapshotHeader header;
  std::vector<SnapshotTable> tables;
  std::vector<SessionRecord> sessions;
};

/// Reads a chunk's blob; `blob_name` is for messages.
///
/// Errors: DataLoss (truncated, or the checksum is wrong) and InvalidArgument (foreign, newer, or
///         well checksummed and still not right), naming the blob, the offset and the cause.
/// Cost:   memory of the rows twice, at most 2 * kSnapshotChunkBytesMax.
/// Thread: any.
absl::StatusOr<SnapshotChunk> ReadSnapshotChunk(std::string_view blob_name,
                                                std::span<const std::byte> blob);

/// Reads chunks one after the other, into memory that it keeps.
///
/// Thread: one owner.
class SnapshotReader {
 public:
  /// As ReadSnapshotChunk, into chunk(). After an error that has nothing of use.
  absl::Status Read(std::string_view blob_name, std::span<const std::byte> blob);

  /// What was read last. Who takes the rows out of it takes their memory, too.
  SnapshotChunk& chunk() { return chunk_; }

 private:
  std::string body_;
  SnapshotChunk chunk_;
};

}  // namespace longtail
