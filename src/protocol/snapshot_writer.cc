#include "protocol/snapshot_writer.h"

#include <algorithm>
#include <utility>

#include "base/bytes.h"
#include "base/check.h"
#include "protocol/compression.h"
#include "protocol/snapshot_body.h"
#include "protocol/spec_codec.h"

namespace longtail {

const std::string& EncodeSnapshotChunk(const SnapshotChunk& chunk, SnapshotBuffers& buffers) {
  std::string& body = buffers.body;
  std::string& blob = buffers.blob;
  body.clear();
  AppendSnapshotBody(chunk, body);
  LONGTAIL_CHECK(body.size() <= kSnapshotChunkBytesMax);
  std::string head;
  ByteWriter writer(head);
  writer.Bytes(AsBytes(kSnapshotMagic));
  LONGTAIL_CHECK(chunk.header.is_increment || chunk.header.values == WireValues::kFloat32);
  writer.U32(chunk.header.is_increment ? kSnapshotIncrementVersion : kSnapshotVersion);
  writer.U32(static_cast<std::uint32_t>(chunk.header.partition));
  writer.U32(chunk.header.partition_count);
  writer.U32(chunk.header.chunk);
  writer.U32(chunk.header.is_last ? 1 : 0);
  writer.U32(static_cast<std::uint32_t>(chunk.header.values));
  writer.U64(chunk.header.log_position);
  writer.U64(chunk.header.step);
  writer.U64(body.size());
  AppendSeal(head);
  LONGTAIL_CHECK(head.size() == kSnapshotHeaderBytes);
  if (blob.size() < head.size()) blob.resize(head.size());
  std::ranges::copy(head, blob.begin());
  CompressBehind(body, head.size(), blob);
  Seal(kSnapshotEnvelope, blob);
  return blob;
}

std::string EncodeSnapshotChunk(const SnapshotChunk& chunk) {
  SnapshotBuffers buffers;
  EncodeSnapshotChunk(chunk, buffers);
  return std::move(buffers.blob);
}

std::uint64_t RowsOf(const SnapshotChunk& chunk) {
  std::uint64_t rows = 0;
  for (const SnapshotTable& table : chunk.tables) rows += table.rows.keys.size();
  return rows;
}

SnapshotWriter::SnapshotWriter(const SnapshotHeader& header, SnapshotSink sink,
                               std::size_t body_bytes_max)
    : sink_(std::move(sink)),
      body_bytes_max_(body_bytes_max),
      body_bytes_(kSnapshotEmptyBodyBytes) {
  LONGTAIL_CHECK(body_bytes_max <= kSnapshotChunkBytesMax);
  LONGTAIL_CHECK(static_cast<std::uint32_t>(header.partition) < header.partition_count);
  chunk_.header = header;
  chunk_.header.chunk = 0;
  chunk_.header.is_last = false;
}

void SnapshotWriter::BeginTable(TableId table, const TableSpec& spec, std::uint32_t value_count) {
  if (spec.kind == TableKind::kCounts) {
    LONGTAIL_CHECK(value_count == 0);
  } else {
    LONGTAIL_CHECK(value_count >= spec.dim);
    LONGTAIL_CHECK(value_count >= 1);
    LONGTAIL_CHECK(value_count <= kValueCountMax);
  }
  table_ = table;
  spec_ = spec;
  value_count_ = value_count;
  exact_count_ = 0;
  spec_bytes_ = sizeof(std::uint32_t) + EncodeTableSpec(spec).size();
  has_table_ = false;
  Reserve(kSnapshotTableBytes + spec_bytes_);
  has_table_ = true;
  AppendTable();
}

void SnapshotWriter::AddRow(Key key, std::uint32_t count, std::uint32_t last_step,
                            std::span<const float> values) {
  LONGTAIL_CHECK(has_table_);
  LONGTAIL_CHECK(value_count_ != 0);
  LONGTAIL_CHECK(values.size() == value_count_);
  Reserve(SnapshotRowBytes(value_count_));
  RowBlock& rows = chunk_.tables.back().rows;
  rows.keys.push_back(key);
  rows.counts.push_back(count);
  rows.last_steps.push_back(last_step);
  rows.values.insert(rows.values.end(), values.begin(), values.end());
  body_bytes_ += SnapshotRowBytes(value_count_);
  ++rows_;
}

void SnapshotWriter::AddCounts(Key key, std::span<const std::byte> packed) {
  LONGTAIL_CHECK(has_table_);
  LONGTAIL_CHECK(value_count_ == 0);
  const std::size_t bytes = SnapshotCountsBytes(packed.size());
  Reserve(bytes);
  AppendPackedRow(key, packed, chunk_.tables.back().rows);
  body_bytes_ += bytes;
  ++rows_;
}

void SnapshotWriter::AddGone(Key key) {
  LONGTAIL_CHECK(has_table_);
  LONGTAIL_CHECK(chunk_.header.is_increment);
  Reserve(sizeof(Key));
  chunk_.tables.back().gone.push_back(key);
  body_bytes_ += sizeof(Key);
  ++rows_;
}

void SnapshotWriter::KeepExact(std::uint32_t count) {
  LONGTAIL_CHECK(has_table_);
  exact_count_ = count;
  chunk_.tables.back().exact_count = count;
}

void SnapshotWriter::AddSession(const SessionRecord& session) {
  Reserve(kSnapshotSessionBytes);
  chunk_.sessions.push_back(session);
  body_bytes_ += kSnapshotSessionBytes;
}

void SnapshotWriter::Reuse(RowBlock rows) {
  rows.clear();
  spares_.push_back(std::move(rows));
}

void SnapshotWriter::Finish() {
  chunk_.header.is_last = true;
  HandOut();
}

void SnapshotWriter::Reserve(std::size_t bytes) {
  if (body_bytes_ + bytes <= body_bytes_max_) return;
  if (rows_ == 0 && chunk_.sessions.empty()) {
    // Only names of tables yet: a chunk without them would be no smaller.
    LONGTAIL_CHECK(body_bytes_ + bytes <= kSnapshotChunkBytesMax);
    return;
  }
  HandOut();
  chunk_.header.chunk += 1;
  body_bytes_ = kSnapshotEmptyBodyBytes;
  rows_ = 0;
  if (!has_table_) return;
  AppendTable();
  if (value_count_ == 0) return;
  // It fills this one, too, more likely than not.
  RowBlock& rows = chunk_.tables.back().rows;
  const std::size_t count = (body_bytes_max_ - body_bytes_) / SnapshotRowBytes(value_count_);
  rows.keys.reserve(count);
  rows.counts.reserve(count);
  rows.last_steps.reserve(count);
  rows.values.reserve(count * value_count_);
}

void SnapshotWriter::HandOut() {
  SnapshotChunk next{.header = chunk_.header, .tables = {}, .sessions = {}};
  sink_(std::exchange(chunk_, std::move(next)));
}

void SnapshotWriter::AppendTable() {
  SnapshotTable& table = chunk_.tables.emplace_back();
  table.spec = spec_;
  if (!spares_.empty()) {
    table.rows = std::move(spares_.back());
    spares_.pop_back();
  }
  table.rows.table = table_;
  table.rows.value_count = value_count_;
  table.exact_count = exact_count_;
  body_bytes_ += kSnapshotTableBytes - sizeof(std::uint32_t) + spec_bytes_;
}

}  // namespace longtail
