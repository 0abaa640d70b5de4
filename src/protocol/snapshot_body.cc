#include "protocol/snapshot_body.h"

#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/check.h"
#include "base/count_row.h"
#include "base/resize_anew.h"
#include "protocol/field_reader.h"
#include "protocol/format_limits.h"
#include "protocol/spec_codec.h"
#include "protocol/value_codec.h"

namespace longtail {
namespace {

constexpr std::size_t kTableBytesMin = 4 * sizeof(std::uint32_t);

std::uint32_t Size32(std::size_t size) {
  LONGTAIL_CHECK(size <= kSnapshotChunkBytesMax);
  return static_cast<std::uint32_t>(size);
}

// How a row's values are written: weights, state that may be rounded, the rest as it is.
struct ValueForm {
  ValueForm(const SnapshotHeader& header, const SnapshotTable& table)
      : weights(header.values),
        state(weights == WireValues::kFloat32 ? weights : WireValues::kBfloat16),
        dim(table.spec.dim),
        state_count(table.rows.value_count - dim - table.exact_count),
        exact_count(table.exact_count) {}

  std::size_t weight_bytes() const { return PackedRowBytes(weights, dim); }
  std::size_t state_bytes() const {
    return state_count == 0 ? 0 : PackedRowBytes(state, state_count);
  }
  std::size_t bytes() const { return weight_bytes() + state_bytes() + exact_count * sizeof(float); }

  WireValues weights;
  WireValues state;
  std::size_t dim;
  std::size_t state_count;
  std::size_t exact_count;
};

void WriteRounded(const SnapshotHeader& header, const SnapshotTable& table, ByteWriter& writer) {
  const ValueForm form(header, table);
  std::vector<std::byte> packed(form.bytes());
  std::span<const float> values = table.rows.values;
  for (; !values.empty(); values = values.subspan(table.rows.value_count)) {
    PackRows(form.weights, form.dim, values.first(form.dim), packed.data());
    std::byte* const state = packed.data() + form.weight_bytes();
    if (form.state_count != 0) {
      PackRows(form.state, form.state_count, values.subspan(form.dim, form.state_count), state);
    }
    std::memcpy(state + form.state_bytes(), values.data() + form.dim + form.state_count,
                form.exact_count * sizeof(float));
    writer.Bytes(packed);
  }
}

void WriteTable(const SnapshotHeader& header, const SnapshotTable& table, ByteWriter& writer) {
  const RowBlock& rows = table.rows;
  LONGTAIL_CHECK(rows.has_counts() || rows.counts.size() == rows.keys.size());
  LONGTAIL_CHECK(rows.has_counts() || rows.last_steps.size() == rows.keys.size());
  LONGTAIL_CHECK(rows.values.size() == rows.keys.size() * rows.value_count);
  const bool has_counts = table.spec.kind == TableKind::kCounts;
  LONGTAIL_CHECK(has_counts == rows.has_counts());
  writer.U32(static_cast<std::uint32_t>(rows.table));
  writer.U32(rows.value_count);
  writer.U32(Size32(rows.keys.size()));
  if (header.is_increment) {
    LONGTAIL_CHECK(has_counts || table.spec.dim + table.exact_count <= rows.value_count);
    writer.U32(Size32(table.gone.size()));
    writer.U32(table.exact_count);
  }
  writer.Text(EncodeTableSpec(table.spec));
  writer.Array(std::span<const Key>(rows.keys));
  if (header.is_increment) writer.Array(std::span<const Key>(table.gone));
  if (has_counts) {
    LONGTAIL_CHECK(rows.ends.size() == rows.keys.size());
    writer.Array(std::span<const std::uint32_t>(rows.ends));
    return writer.Bytes(AsBytes(rows.packed));
  }
  writer.Array(std::span<const std::uint32_t>(rows.counts));
  writer.Array(std::span<const std::uint32_t>(rows.last_steps));
  if (header.values != WireValues::kFloat32) return WriteRounded(header, table, writer);
  writer.Array(std::span<const float>(rows.values));
}

void ReadRounded(FieldReader& reader, const ValueForm& form, RowBlock& rows) {
  float* values = rows.values.data();
  for (std::size_t i = 0; i < rows.keys.size(); ++i, values += rows.value_count) {
    const std::span<const std::byte> packed = reader.Bytes("values", form.bytes());
    if (!reader.ok()) return;
    const auto weights = packed.first(form.weight_bytes());
    const auto state = packed.subspan(form.weight_bytes(), form.state_bytes());
    const auto exact = packed.subspan(form.weight_bytes() + form.state_bytes());
    const bool is_fine = UnpackRows(form.weights, form.dim, weights, values) &&
                         (form.state_count == 0 ||
                          UnpackRows(form.state, form.state_count, state, values + form.dim));
    if (!is_fine) return reader.Refuse("values", "have a scale that is none,");
    std::memcpy(values + form.dim + form.state_count, exact.data(), exact.size());
  }
}

// Of a count table, behind its spec.
void ReadCounts(FieldReader& reader, std::uint32_t count, std::uint32_t gone,
                SnapshotTable& table) {
  RowBlock& rows = table.rows;
  if (std::uint64_t{count} * SnapshotCountsBytes(0) + std::uint64_t{gone} * sizeof(Key) >
      reader.remaining()) {
    reader.Refuse("rows", "are cut short: " + std::to_string(count) + " of them,");
    return;
  }
  ResizeAnew(rows.keys, count);
  ResizeAnew(table.gone, gone);
  ResizeAnew(rows.counts, count);
  rows.last_steps.assign(count, 0);
  rows.values.clear();
  ResizeAnew(rows.ends, count);
  reader.Array("keys", std::span(rows.keys));
  reader.Array("gone keys", std::span(table.gone));
  reader.Array("ends", std::span(rows.ends));
  rows.packed = AsText(reader.Bytes("rows of counts", count == 0 ? 0 : rows.ends.back()));
  if (!reader.ok()) return;
  if (const char* wrong = WrongEnds(rows)) return reader.Refuse("ends", wrong);
  for (std::size_t i = 0; i < count; ++i) {
    CountTotal total;
    const char* const wrong =
        VisitCountRow(PackedRowOf(rows, i), table.spec.dim,
                      [&](std::uint32_t, std::int64_t value) { total.Add(value); });
    rows.counts[i] = total.value();
    if (wrong == nullptr) continue;
    return reader.Refuse("rows of counts",
                         "(key " + std::to_string(rows.keys[i]) + ": " + wrong + "), ending");
  }
}

void ReadTable(const SnapshotHeader& header, FieldReader& reader, SnapshotTable& table) {
  RowBlock& rows = table.rows;
  rows.table = TableId{reader.Table()};
  rows.value_count = reader.Within("value count", 0, kValueCountMax);
  const bool is_rounded = header.values != WireValues::kFloat32;
  const std::uint32_t count =
      reader.Count("row count", kSnapshotChunkBytesMax,
                   is_rounded ? SnapshotRowBytes(0) : SnapshotRowBytes(rows.value_count));
  std::uint32_t gone = 0;
  table.exact_count = 0;
  if (header.is_increment) {
    gone = reader.Count("gone count", kSnapshotChunkBytesMax, sizeof(Key));
    table.exact_count = reader.Within("exact count", 0, kValueCountMax);
  }
  table.spec = ReadTableSpec(reader);
  const bool has_counts = table.spec.kind == TableKind::kCounts;
  if (reader.ok() && has_counts != rows.has_counts()) {
    reader.Refuse("value count", std::to_string(rows.value_count) +
                                     ": want 0 for a table of counts, and for no other, ending");
  }
  if (reader.ok() && !has_counts && rows.value_count < table.spec.dim + table.exact_count) {
    reader.Refuse("value count", std::to_string(rows.value_count) + ": want at least the table's " +
                                     "dim, " + std::to_string(table.spec.dim) + ", ending");
  }
  if (!reader.ok()) return;
  if (has_counts) return ReadCounts(reader, count, gone, table);
  // The spec's bytes lie between the count and the rows, so the count must be compared again.
  const ValueForm form(header, table);
  if (std::uint64_t{count} * (SnapshotRowBytes(0) + form.bytes()) +
          std::uint64_t{gone} * sizeof(Key) >
      reader.remaining()) {
    reader.Refuse("rows", "are cut short: " + std::to_string(count) + " of them,");
    return;
  }
  ResizeAnew(rows.keys, count);
  ResizeAnew(table.gone, gone);
  ResizeAnew(rows.counts, count);
  ResizeAnew(rows.last_steps, count);
  ResizeAnew(rows.values, std::size_t{count} * rows.value_count);
  rows.ends.clear();
  rows.packed.clear();
  reader.Array("keys", std::span(rows.keys));
  reader.Array("gone keys", std::span(table.gone));
  reader.Array("counts", std::span(rows.counts));
  reader.Array("last steps", std::span(rows.last_steps));
  if (is_rounded) return ReadRounded(reader, form, rows);
  reader.Array("values", std::span(rows.values));
}

}  // namespace

bool IsIncrementFormat(WireValues format) {
  return format == WireValues::kFloat32 || format == WireValues::kBfloat16 ||
         format == WireValues::kInt8;
}

std::size_t SnapshotRowBytes(std::uint32_t value_count) {
  return sizeof(Key) + 2 * sizeof(std::uint32_t) + value_count * sizeof(float);
}

void AppendSnapshotBody(const SnapshotChunk& chunk, std::string& body) {
  std::size_t size = kSnapshotEmptyBodyBytes + chunk.sessions.size() * kSnapshotSessionBytes;
  for (const SnapshotTable& table : chunk.tables) {
    size += kSnapshotTableBytes + kSpecBytesMax +
            table.rows.keys.size() * SnapshotRowBytes(table.rows.value_count) +
            table.rows.ends.size() * sizeof(std::uint32_t) + table.rows.packed.size() +
            table.gone.size() * sizeof(Key);
  }
  body.reserve(body.size() + size);
  ByteWriter writer(body);
  writer.U32(Size32(chunk.tables.size()));
  writer.U32(Size32(chunk.sessions.size()));
  for (const SnapshotTable& table : chunk.tables) WriteTable(chunk.header, table, writer);
  for (const SessionRecord& session : chunk.sessions) {
    writer.U64(static_cast<std::uint64_t>(session.session));
    writer.U32(session.rank);
    writer.U64(session.next_sequence);
    writer.U64(session.first_step);
  }
}

std::string EncodeSnapshotBody(const SnapshotChunk& chunk) {
  std::string body;
  AppendSnapshotBody(chunk, body);
  return body;
}

absl::Status DecodeSnapshotBody(std::string_view what, std::span<const std::byte> body,
                                SnapshotChunk& chunk) {
  FieldReader reader(std::string(what), body);
  const std::uint32_t table_count = reader.Count("table count", kTableCountMax, kTableBytesMin);
  const std::uint32_t session_count =
      reader.Count("session count", kSessionCountMax, kSnapshotSessionBytes);
  if (!reader.ok()) return reader.status();
  chunk.tables.resize(table_count);
  for (std::uint32_t i = 0; i < table_count && reader.ok(); ++i) {
    ReadTable(chunk.header, reader, chunk.tables[i]);
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
