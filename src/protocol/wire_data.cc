#include "protocol/wire_data.h"

#include <cmath>
#include <cstdint>

#include "base/check.h"
#include "protocol/format_limits.h"
#include "protocol/status_codec.h"

namespace longtail::wire {
namespace {

constexpr std::size_t kPullSectionBytes = 4 * sizeof(std::uint32_t);
constexpr std::size_t kPushSectionBytes = 4 * sizeof(std::uint32_t) + sizeof(std::uint64_t);
constexpr std::size_t kBarrierSectionBytes = sizeof(std::uint32_t) + sizeof(std::uint64_t);

// The number of keys of a section; all sections of a request together have a limit.
std::uint32_t TakeKeyCount(FieldReader& fields, std::uint64_t& total) {
  const std::uint32_t count = fields.U32("key count");
  total += count;
  if (total > kKeysPerRequestMax) {
    fields.Refuse("key count", "brings the message to " + std::to_string(total) +
                                   " keys: want at most " + std::to_string(kKeysPerRequestMax) +
                                   ", ending");
  }
  return fields.ok() ? count : 0;
}

// What a section's rows are: so many floats; or 0, and then so many columns of counts.
void PutDim(TableKind kind, std::uint32_t dim, ByteWriter& fields) {
  if (kind == TableKind::kCounts) fields.U32(0);
  fields.U32(dim);
}

template <typename Section>
void TakeDim(FieldReader& fields, Section& section) {
  section.dim = fields.Within("dim", 0, kRowDimMax);
  if (section.dim != 0 || !fields.ok()) return;
  section.kind = TableKind::kCounts;
  section.dim = fields.Within("columns", 1, kCountColumnsMax);
}

}  // namespace

void Put(const PullRequest& message, FrameWriter& writer) {
  LONGTAIL_CHECK(!message.compact);
  ByteWriter& fields = writer.fields();
  fields.U64(message.request);
  fields.U64(message.epoch);
  fields.U64(message.step);
  fields.U8(message.wants_counts ? 1 : 0);
  writer.Count(message.sections.size());
  for (const PullSection& section : message.sections) {
    fields.U32(static_cast<std::uint32_t>(section.partition));
    fields.U32(static_cast<std::uint32_t>(section.table));
    PutDim(section.kind, section.dim, fields);
    writer.Count(section.keys.size());
    writer.Bulk(section.keys);
  }
}

void Take(FrameReader& reader, PullRequest& message) {
  FieldReader& fields = reader.fields();
  message.request = fields.U64("request");
  message.epoch = fields.U64("epoch");
  message.step = fields.Step("step");
  message.wants_counts = fields.Flag("wants_counts");
  message.sections.resize(fields.Count("section count", kSectionCountMax, kPullSectionBytes));
  std::uint64_t total = 0;
  for (PullSection& section : message.sections) {
    section.partition = PartitionId{fields.Partition()};
    section.table = TableId{fields.Table()};
    TakeDim(fields, section);
    section.keys = reader.Bulk<Key>("keys", TakeKeyCount(fields, total));
    if (!reader.ok()) return;
  }
  if (total > 0) message.owners.push_back(reader.bulk_owner());
}

void Put(const PushRequest& message, FrameWriter& writer) {
  LONGTAIL_CHECK(!message.compact);
  ByteWriter& fields = writer.fields();
  fields.U64(static_cast<std::uint64_t>(message.session));
  fields.U64(message.request);
  fields.U64(message.epoch);
  fields.U64(message.step);
  fields.F32(message.learning_rate_scale);
  writer.Count(message.sections.size());
  for (const PushSection& section : message.sections) {
    fields.U32(static_cast<std::uint32_t>(section.partition));
    fields.U32(static_cast<std::uint32_t>(section.table));
    PutDim(section.kind, section.dim, fields);
    writer.Count(section.keys.size());
    fields.U64(section.sequence);
    writer.Bulk(section.keys);
    if (section.kind == TableKind::kCounts) {
      fields.U64(section.packed.size());
      writer.Bulk(section.packed);
      continue;
    }
    LONGTAIL_CHECK(section.counts.size() == section.keys.size());
    LONGTAIL_CHECK(section.gradients.size() == section.keys.size() * section.dim);
    writer.Bulk(section.counts);
    writer.Bulk(section.gradients);
  }
}

void Take(FrameReader& reader, PushRequest& message) {
  FieldReader& fields = reader.fields();
  message.session = SessionId{fields.U64("session")};
  message.request = fields.U64("request");
  message.epoch = fields.U64("epoch");
  message.step = fields.Step("step");
  message.learning_rate_scale = fields.F32("learning_rate_scale");
  if (!std::isfinite(message.learning_rate_scale)) {
    fields.Refuse("learning_rate_scale", "is not finite, ending");
  }
  message.sections.resize(fields.Count("section count", kSectionCountMax, kPushSectionBytes));
  std::uint64_t total = 0;
  for (PushSection& section : message.sections) {
    section.partition = PartitionId{fields.Partition()};
    section.table = TableId{fields.Table()};
    TakeDim(fields, section);
    const std::uint32_t count = TakeKeyCount(fields, total);
    section.sequence = fields.U64("sequence");
    section.keys = reader.Bulk<Key>("keys", count);
    if (section.kind == TableKind::kCounts) {
      section.packed = reader.Bulk<std::byte>("rows of counts", fields.U64("bytes of rows"));
      if (!reader.ok()) return;
      continue;
    }
    section.counts = reader.Bulk<std::uint32_t>("counts", count);
    section.gradients = reader.Bulk<float>("gradients", std::uint64_t{count} * section.dim);
    if (!reader.ok()) return;
  }
  if (total > 0) message.owners.push_back(reader.bulk_owner());
}

void Put(const BarrierRequest& message, FrameWriter& writer) {
  ByteWriter& fields = writer.fields();
  fields.U64(static_cast<std::uint64_t>(message.session));
  fields.U64(message.request);
  fields.U64(message.epoch);
  fields.U64(message.step);
  writer.Count(message.sections.size());
  for (const BarrierSection& section : message.sections) {
    fields.U32(static_cast<std::uint32_t>(section.partition));
    fields.U64(section.sequence);
  }
}

void Take(FrameReader& reader, BarrierRequest& message) {
  FieldReader& fields = reader.fields();
  message.session = SessionId{fields.U64("session")};
  message.request = fields.U64("request");
  message.epoch = fields.U64("epoch");
  message.step = fields.Step("step");
  message.sections.resize(fields.Count("section count", kSectionCountMax, kBarrierSectionBytes));
  for (BarrierSection& section : message.sections) {
    section.partition = PartitionId{fields.Partition()};
    section.sequence = fields.U64("sequence");
  }
}

void Put(const PullReply& message, FrameWriter& writer) {
  writer.fields().U64(message.request);
  EncodeStatus(message.status, writer.fields());
  writer.fields().U64(message.step);
  writer.fields().U64(message.epoch);
  writer.fields().U64(message.values.size());
  writer.fields().U64(message.counts.size());
  writer.fields().U64(message.packed.size());
  writer.Bulk(message.values);
  writer.Bulk(message.counts);
  writer.Bulk(message.packed);
}

void Take(FrameReader& reader, PullReply& message) {
  FieldReader& fields = reader.fields();
  message.request = fields.U64("request");
  message.status = DecodeStatus(fields);
  message.step = fields.Step("step");
  message.epoch = fields.U64("epoch");
  const std::uint64_t value_count = fields.U64("value count");
  const std::uint64_t count_count = fields.U64("count count");
  const std::uint64_t packed_bytes = fields.U64("bytes of rows");
  message.values = reader.Bulk<float>("values", value_count);
  message.counts = reader.Bulk<std::uint32_t>("counts", count_count);
  message.packed = reader.Bulk<std::byte>("rows of counts", packed_bytes);
  message.owner = reader.bulk_owner();
}

void Put(const Acknowledgement& message, FrameWriter& writer) {
  writer.fields().U64(message.request);
  EncodeStatus(message.status, writer.fields());
  writer.fields().U64(message.step);
}

void Take(FrameReader& reader, Acknowledgement& message) {
  message.request = reader.fields().U64("request");
  message.status = DecodeStatus(reader.fields());
  message.step = reader.fields().Step("step");
}

}  // namespace longtail::wire
