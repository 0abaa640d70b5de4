#include "protocol/snapshot_body.h"

#include <utility>

#include "base/bytes.h"
#include "base/check.h"
#include "protocol/field_reader.h"
#include "protocol/format_limits.h"
#include "protocol/spec_codec.h"

namespace longtail {
namespace {

std::uint32_t Size32(std::size_t size) {
  LONGTAIL_CHECK(size <= kSnapshotChunkBytesMax);
  return static_cast<std::uint32_t>(size);
}

void WriteTable(const SnapshotTable& table, ByteWriter& writer) {
  const RowBlock& rows = table.rows;
  LONGTAIL_CHECK(rows.counts.size() == rows.keys.size());
  LONGTAIL_CHECK(rows.last_steps.size() == rows.keys.size());
  LONGTAIL_CHECK(rows.values.size() == rows.keys.size() * rows.value_count);
  writer.U32(static_cast<std::uint32_t>(rows.table));
  writer.U32(rows.value_count);
  writer.U32(Size32(rows.keys.size()));
  writer.Text(EncodeTableSpec(table.spec));
  writer.Array(std::span<const Key>(rows.keys));
  writer.Array(std::span<const std::uint32_t>(rows.counts));
  writer.Array(std::span<const std::uint32_t>(rows.last_steps));
  writer.Array(std::span<const float>(rows.values));
}

void ReadTable(FieldReader& reader, SnapshotTable& table) {
  RowBlock& rows = table.rows;
  rows.table = TableId{reader.Table()};
  rows.value_count = reader.Within("value count", 1, kValueCountMax);
  const std::uint32_t count =
      reader.Count("row count", kSnapshotChunkBytesMax, SnapshotRowBytes(rows.value_count));
  table.spec = ReadTableSpec(reader);
  if (reader.ok() && rows.value_count < table.spec.dim) {
    reader.Refuse("value count", std::to_string(rows.value_count) + ": want at least the table's " +
                                     "dim, " + std::to_string(table.spec.dim) + ", ending");
  }
  // The spec's bytes lie between the count and the rows, so the count must be compared again.
  if (std::uint64_t{count} * SnapshotRowBytes(rows.value_count) > reader.remaining()) {
    reader.Refuse("rows", "are cut short: " + std::to_string(count) + " of them,");
  }
  if (!reader.ok()) return;
  rows.keys.resize(count);
  rows.counts.resize(count);
  rows.last_steps.resize(count);
  rows.values.resize(std::size_t{count} * rows.value_count);
  reader.Array("keys", std::span(rows.keys));
  reader.Array("counts", std::span(rows.counts));
  reader.Array("last steps", std::span(rows.last_steps));
  reader.Array("values", std::span(rows.values));
}

}  // namespace

std::size_t SnapshotRowBytes(std::uint32_t value_count) {
  return sizeof(Key) + 2 * sizeof(std::uint32_t) + value_count * sizeof(float);
}

std::string EncodeSnapshotBody(const SnapshotChunk& chunk) {
  std::size_t size = kSnapshotEmptyBodyBytes + chunk.sessions.size() * kSnapshotSessionBytes;
  for (const SnapshotTable& table : chunk.tables) {
    size += kSnapshotTableBytes + kSpecBytesMax +
            table.rows.keys.size() * SnapshotRowBytes(table.rows.value_count);
  }
  std::string body;
  body.reserve(size);
  ByteWriter writer(body);
  writer.U32(Size32(chunk.tables.size()));
  writer.U32(Size32(chunk.sessions.size()));
  for (const SnapshotTable& table : chunk.tables) WriteTable(table, writer);
  for (const SessionRecord& session : chunk.sessions) {
    writer.U64(static_cast<std::uint64_t>(session.session));
    writer.U32(session.rank);
    writer.U64(session.next_sequence);
    writer.U64(session.first_step);
  }
  return body;
}

absl::Status DecodeSnapshotBody(std::string_view what, std::span<const std::byte> body,
                                SnapshotChunk& chunk) {
  FieldReader reader(std::string(what), body);
  const std::uint32_t table_count =
      reader.Count("table count", kTableCountMax, kSnapshotTableBytes);
  const std::uint32_t session_count =
      reader.Count("session count", kSessionCountMax, kSnapshotSessionBytes);
  for (std::uint32_t i = 0; i < table_count && reader.ok(); ++i) {
    ReadTable(reader, chunk.tables.emplace_back());
  }
  if (!reader.ok()) return reader.status();
  chunk.sessions.resize(session_count);
  for (SessionRecord& session : chunk.sessions) {
    session.session = SessionId{reader.U64("session")};
    session.rank = reader.U32("rank");
    session.next_sequence = reader.U64("next sequence");
    session.first_step = reader.Step("first step");
  }
  reader.End();
  return reader.status();
}

}  // namespace longtail
