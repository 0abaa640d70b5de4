#include "protocol/wire_control.h"

#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "base/check.h"
#include "protocol/format_limits.h"
#include "protocol/snapshot_body.h"
#include "protocol/spec_codec.h"
#include "protocol/status_codec.h"
#include "protocol/value_codec.h"
#include "protocol/wire_statistics.h"

namespace longtail::wire {
namespace {

constexpr std::size_t kBlobBytes = sizeof(std::uint32_t) + 3 * sizeof(std::uint64_t);
constexpr std::size_t kPositionBytes = 1 + sizeof(std::uint32_t) + 3 * sizeof(std::uint64_t);
constexpr std::uint64_t kAnyCount = std::numeric_limits<std::uint32_t>::max();

}  // namespace

void Put(const OpenSession& message, FrameWriter& writer) {
  writer.fields().U64(message.request);
  writer.fields().U64(static_cast<std::uint64_t>(message.session));
  writer.fields().U32(message.rank);
  writer.fields().U64(message.step);
  writer.fields().U64(message.epoch);
}

void Take(FrameReader& reader, OpenSession& message) {
  message.request = reader.fields().U64("request");
  message.session = SessionId{reader.fields().U64("session")};
  message.rank = reader.fields().U32("rank");
  message.step = reader.fields().Step("step");
  message.epoch = reader.fields().U64("epoch");
}

void Put(const CloseSession& message, FrameWriter& writer) {
  writer.fields().U64(message.request);
  writer.fields().U64(static_cast<std::uint64_t>(message.session));
}

void Take(FrameReader& reader, CloseSession& message) {
  message.request = reader.fields().U64("request");
  message.session = SessionId{reader.fields().U64("session")};
}

void Put(const CreateTable& message, FrameWriter& writer) {
  writer.fields().U64(message.request);
  writer.fields().U32(static_cast<std::uint32_t>(message.table));
  writer.fields().Text(EncodeTableSpec(message.spec));
}

void Take(FrameReader& reader, CreateTable& message) {
  message.request = reader.fields().U64("request");
  message.table = TableId{reader.fields().Table()};
  message.spec = ReadTableSpec(reader.fields());
}

void Put(const StatisticsRequest& message, FrameWriter& writer) {
  writer.fields().U64(message.request);
  writer.fields().U32(static_cast<std::uint32_t>(message.table));
}

void Take(FrameReader& reader, StatisticsRequest& message) {
  message.request = reader.fields().U64("request");
  message.table = TableId{reader.fields().Table()};
}

void Put(const StatisticsReply& message, FrameWriter& writer) {
  ByteWriter& fields = writer.fields();
  fields.U64(message.request);
  EncodeStatus(message.status, fields);
  PutStatistics(message.statistics, writer);
}

void Take(FrameReader& reader, StatisticsReply& message) {
  FieldReader& fields = reader.fields();
  message.request = fields.U64("request");
  message.status = DecodeStatus(fields);
  TakeStatistics(fields, kAnyCount, message.statistics);
}

void Put(const SnapshotRequest& message, FrameWriter& writer) {
  writer.fields().U64(message.request);
  writer.fields().Text(message.prefix);
  writer.fields().U64(message.checkpoint);
  writer.fields().U64(message.base);
  writer.fields().U8(message.is_increment ? 1 : 0);
  writer.fields().U8(static_cast<std::uint8_t>(message.values));
  writer.fields().U64(message.epoch);
}

void Take(FrameReader& reader, SnapshotRequest& message) {
  message.request = reader.fields().U64("request");
  message.prefix = reader.fields().Text("prefix", kBlobNameSizeMax);
  message.checkpoint = reader.fields().U64("checkpoint");
  message.base = reader.fields().U64("base");
  message.is_increment = reader.fields().Flag("is increment");
  const std::uint8_t values = reader.fields().U8("format of values");
  message.values = static_cast<WireValues>(values);
  if (values > kWireValuesMax || !IsIncrementFormat(message.values)) {
    reader.fields().Refuse("format of values", "is none of an increment, ending");
  }
  message.epoch = reader.fields().U64("epoch");
}

void Put(const SnapshotReply& message, FrameWriter& writer) {
  ByteWriter& fields = writer.fields();
  fields.U64(message.request);
  EncodeStatus(message.status, fields);
  writer.Count(message.blobs.size());
  for (const SnapshotBlob& blob : message.blobs) {
    fields.Text(blob.name);
    fields.U64(blob.bytes);
    fields.U64(blob.checksum);
    fields.U64(blob.rows);
  }
  writer.Count(message.positions.size());
  for (const PartitionPosition& position : message.positions) {
    fields.U32(static_cast<std::uint32_t>(position.partition));
    fields.U64(position.log_position);
    fields.U64(position.step);
    fields.U64(position.rows);
    fields.U8(position.is_increment ? 1 : 0);
  }
}

void Take(FrameReader& reader, SnapshotReply& message) {
  FieldReader& fields = reader.fields();
  message.request = fields.U64("request");
  message.status = DecodeStatus(fields);
  message.blobs.resize(fields.Count("blob count", kBlobCountMax, kBlobBytes));
  for (SnapshotBlob& blob : message.blobs) {
    blob.name = fields.Text("blob name", kBlobNameSizeMax);
    blob.bytes = fields.U64("blob bytes");
    blob.checksum = fields.U64("blob checksum");
    blob.rows = fields.U64("blob rows");
    if (!fields.ok()) return;
  }
  message.positions.resize(fields.Count("position count", kPartitionCountMax, kPositionBytes));
  for (PartitionPosition& position : message.positions) {
    position.partition = PartitionId{fields.Partition()};
    position.log_position = fields.U64("log position");
    position.step = fields.Step("step");
    position.rows = fields.U64("rows");
    position.is_increment = fields.Flag("is increment");
  }
}

void Put(const ImportRows& message, FrameWriter& writer) {
  LONGTAIL_CHECK(message.rows != nullptr);
  const RowBlock& rows = *message.rows;
  writer.fields().U64(message.request);
  writer.fields().U32(static_cast<std::uint32_t>(rows.table));
  writer.fields().U32(rows.value_count);
  writer.Count(rows.keys.size());
  if (rows.has_counts()) {
    LONGTAIL_CHECK(rows.ends.size() == rows.keys.size());
    writer.fields().U64(rows.packed.size());
    writer.Bulk(std::span<const Key>(rows.keys));
    writer.Bulk(std::span<const std::uint32_t>(rows.ends));
    return writer.Bulk(AsBytes(rows.packed));
  }
  LONGTAIL_CHECK(rows.counts.size() == rows.keys.size());
  LONGTAIL_CHECK(rows.last_steps.size() == rows.keys.size());
  LONGTAIL_CHECK(rows.values.size() == rows.keys.size() * rows.value_count);
  writer.Bulk(std::span<const Key>(rows.keys));
  writer.Bulk(std::span<const std::uint32_t>(rows.counts));
  writer.Bulk(std::span<const std::uint32_t>(rows.last_steps));
  writer.Bulk(std::span<const float>(rows.values));
}

void Take(FrameReader& reader, ImportRows& message) {
  FieldReader& fields = reader.fields();
  auto rows = std::make_shared<RowBlock>();
  message.request = fields.U64("request");
  rows->table = TableId{fields.Table()};
  rows->value_count = fields.Within("value count", 0, kValueCountMax);
  const std::uint32_t count = fields.Within("row count", 0, kKeysPerRequestMax);
  if (fields.ok() && rows->has_counts()) {
    const std::uint64_t bytes = fields.U64("bytes of rows");
    reader.Bulk("keys", count, rows->keys);
    reader.Bulk("ends", count, rows->ends);
    rows->packed = AsText(reader.Bulk<std::byte>("rows of counts", bytes));
    const char* const wrong = WrongEnds(*rows);
    if (reader.ok() && wrong != nullptr) fields.Refuse("ends of rows", wrong);
    rows->counts.resize(rows->keys.size());
    rows->last_steps.resize(rows->keys.size());
  } else {
    reader.Bulk("keys", count, rows->keys);
    reader.Bulk("counts", count, rows->counts);
    reader.Bulk("last steps", count, rows->last_steps);
    reader.Bulk("values", std::uint64_t{count} * rows->value_count, rows->values);
  }
  message.rows = std::move(rows);
}

void Put(const ImportStep& message, FrameWriter& writer) {
  writer.fields().U64(message.request);
  writer.fields().U64(message.step);
}

void Take(FrameReader& reader, ImportStep& message) {
  message.request = reader.fields().U64("request");
  message.step = reader.fields().Step("step");
}

}  // namespace longtail::wire
