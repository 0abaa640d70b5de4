// Cuts one partition's snapshot into chunks of bounded size.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "longtail/ids.h"
#include "longtail/table_spec.h"
#include "protocol/format_limits.h"
#include "protocol/snapshot_format.h"

namespace longtail {

/// Takes a chunk as soon as it is full, so that no more than one is held in memory.
using SnapshotSink = std::function<void(SnapshotChunk)>;

/// Use: BeginTable, AddRow …, the next BeginTable …; AddSession at any time; Finish once.
///
/// Cost:   up to twice body_bytes_max of memory; a row is copied.
/// Thread: one owner.
class SnapshotWriter {
 public:
  /// `header.chunk` and `header.is_last` are set here for each chunk. A body is at most
  /// `body_bytes_max` bytes before compression, unless one row alone is more; at most
  /// kSnapshotChunkBytesMax.
  SnapshotWriter(const SnapshotHeader& header, SnapshotSink sink,
                 std::size_t body_bytes_max = kSnapshotChunkBytesMax);

  /// The rows that follow are of this table; `value_count` floats each, weights and optimizer
  /// state, none of a count table. A table without rows is kept, too.
  void BeginTable(TableId table, const TableSpec& spec, std::uint32_t value_count);

  /// Shapes: values [value_count].
  void AddRow(Key key, std::uint32_t count, std::uint32_t last_step, std::span<const float> values);

  /// A row of a count table (base/count_row.h).
  void AddCounts(Key key, std::span<const std::byte> packed);

  /// A key of the table that was begun which has no row any more. Of an increment alone.
  void AddGone(Key key);

  /// The last values of the rows of the table that was begun, which are not rounded.
  void KeepExact(std::uint32_t count);

  void AddSession(const SessionRecord& session);

  /// Gives memory for the rows of chunks to come: what is in it is dropped. Rows of a chunk that
  /// was handed out and is no longer needed, say: fresh memory costs more than what is written to
  /// it.
  void Reuse(RowBlock rows);

  /// Such memory that it did not use.
  std::vector<RowBlock> TakeSpares() { return std::move(spares_); }

  /// Hands out the last chunk; at least one chunk is made, though nothing was added.
  void Finish();

 private:
  // Makes room for `bytes` more in the chunk, handing it out if it is full.
  void Reserve(std::size_t bytes);
  void HandOut();
  void AppendTable();

  const SnapshotSink sink_;
  const std::size_t body_bytes_max_;
  SnapshotChunk chunk_;
  std::size_t body_bytes_;  // Of chunk_ once encoded.
  std::uint64_t rows_ = 0;  // In chunk_, and keys of rows that went.
  bool has_table_ = false;  // The table below is begun.
  TableId table_{};
  TableSpec spec_;
  std::size_t spec_bytes_ = 0;
  std::uint32_t value_count_ = 0;
  std::uint32_t exact_count_ = 0;
  std::vector<RowBlock> spares_;
};

/// Memory for encoding a chunk, which is kept for the next: fresh memory costs as much as encoding.
struct SnapshotBuffers {
  std::string body;
  std::string blob;
};

/// A whole chunk as one blob: header, compressed body, checksum. It lies in `buffers`.
///
/// Cost: twice the chunk's memory; its rows are copied and compressed.
const std::string& EncodeSnapshotChunk(const SnapshotChunk& chunk, SnapshotBuffers& buffers);

/// As above, in memory of its own.
std::string EncodeSnapshotChunk(const SnapshotChunk& chunk);

/// Rows in all its tables.
std::uint64_t RowsOf(const SnapshotChunk& chunk);

}  // namespace longtail
