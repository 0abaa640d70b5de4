#include "protocol/wire_compact.h"

#include <cmath>
#include <string>

#include "base/check.h"
#include "protocol/format_limits.h"
#include "protocol/value_codec.h"

namespace longtail::wire {
namespace {

constexpr std::size_t kSectionBytes = 4 * sizeof(std::uint32_t) + 1;

// What the sections say of the arrays behind the fields.
struct ArraySizes {
  std::uint64_t keys = 0;
  std::uint64_t plain = 0;
  std::uint64_t digests = 0;
  std::uint64_t value_bytes = 0;
};

void Add(const CompactSection& section, WireValues values, ArraySizes& sizes) {
  sizes.keys += section.key_count;
  if (IsPlain(section.form)) sizes.plain += section.key_count;
  if (section.form == KeyForm::kDigest) ++sizes.digests;
  sizes.value_bytes += section.key_count * std::uint64_t{PackedRowBytes(values, section.dim)};
}

template <typename T>
ArraySizes PutSections(const T& message, FrameWriter& writer) {
  ByteWriter& fields = writer.fields();
  constexpr bool kIsPush = requires {
    message.gradients;
  };
  fields.U8(static_cast<std::uint8_t>(message.values));
  fields.U64(message.keys.deltas.size());
  ArraySizes sizes;
  writer.Count(message.sections.size());
  for (const CompactSection& section : message.sections) {
    fields.U32(static_cast<std::uint32_t>(section.partition));
    fields.U32(static_cast<std::uint32_t>(section.table));
    fields.U32(section.dim);
    fields.U32(section.key_count);
    fields.U8(static_cast<std::uint8_t>(section.form));
    if constexpr (kIsPush) fields.U64(section.sequence);
    Add(section, message.values, sizes);
  }
  LONGTAIL_CHECK(message.keys.plain.size() == sizes.plain);
  LONGTAIL_CHECK(message.keys.digests.size() == sizes.digests);
  writer.Bulk(message.keys.plain);
  writer.Bulk(message.keys.digests);
  writer.Bulk(message.keys.deltas);
  return sizes;
}

WireValues TakeValues(FieldReader& fields) {
  const std::uint8_t format = fields.U8("values");
  if (format > kWireValuesMax) {
    fields.Refuse("values", std::to_string(format) + ": want a format of 0.." +
                                std::to_string(kWireValuesMax) + ", ending");
    return WireValues::kFloat32;
  }
  return static_cast<WireValues>(format);
}

void TakeSection(FieldReader& fields, CompactSection& section, std::uint64_t keys_before) {
  section.partition = PartitionId{fields.Partition()};
  section.table = TableId{fields.Table()};
  section.dim = fields.Dim();
  section.key_count = fields.U32("key count");
  if (keys_before + section.key_count > kKeysPerRequestMax) {
    fields.Refuse("key count",
                  "brings the message to " + std::to_string(keys_before + section.key_count) +
                      " keys: want at most " + std::to_string(kKeysPerRequestMax) + ", ending");
  }
  const std::uint8_t form = fields.U8("key form");
  if (form > static_cast<std::uint8_t>(KeyForm::kKeptDeltas)) {
    fields.Refuse("key form", std::to_string(form) + ": want 0..4, ending");
    return;
  }
  section.form = static_cast<KeyForm>(form);
}

template <typename T>
ArraySizes TakeSections(FrameReader& reader, T& message) {
  constexpr bool kIsPush = requires {
    message.gradients;
  };
  FieldReader& fields = reader.fields();
  message.values = TakeValues(fields);
  const std::uint64_t delta_bytes = fields.U64("delta bytes");
  message.sections.resize(fields.Count("section count", kSectionCountMax,
                                       kSectionBytes + (kIsPush ? sizeof(std::uint64_t) : 0)));
  ArraySizes sizes;
  for (CompactSection& section : message.sections) {
    TakeSection(fields, section, sizes.keys);
    if constexpr (kIsPush) section.sequence = fields.U64("sequence");
    if (!reader.ok()) return {};
    Add(section, message.values, sizes);
  }
  message.keys.plain = reader.Bulk<Key>("keys", sizes.plain);
  message.keys.digests = reader.Bulk<KeyDigest>("digests", sizes.digests);
  message.keys.deltas = reader.Bulk<std::byte>("deltas", delta_bytes);
  return sizes;
}

}  // namespace

void Put(const CompactPull& message, FrameWriter& writer) {
  ByteWriter& fields = writer.fields();
  fields.U64(message.request);
  fields.U64(message.epoch);
  fields.U64(message.step);
  fields.U8(message.wants_counts ? 1 : 0);
  PutSections(message, writer);
}

void Take(FrameReader& reader, CompactPull& message) {
  FieldReader& fields = reader.fields();
  message.request = fields.U64("request");
  message.epoch = fields.U64("epoch");
  message.step = fields.Step("step");
  message.wants_counts = fields.Flag("wants_counts");
  TakeSections(reader, message);
  message.owner = reader.bulk_owner();
}

void Put(const CompactPush& message, FrameWriter& writer) {
  ByteWriter& fields = writer.fields();
  fields.U64(static_cast<std::uint64_t>(message.session));
  fields.U64(message.request);
  fields.U64(message.epoch);
  fields.U64(message.step);
  fields.F32(message.learning_rate_scale);
  fields.U64(message.counts.size());
  const ArraySizes sizes = PutSections(message, writer);
  LONGTAIL_CHECK(message.gradients.size() == sizes.value_bytes);
  writer.Bulk(message.counts);
  writer.Bulk(message.gradients);
}

void Take(FrameReader& reader, CompactPush& message) {
  FieldReader& fields = reader.fields();
  message.session = SessionId{fields.U64("session")};
  message.request = fields.U64("request");
  message.epoch = fields.U64("epoch");
  message.step = fields.Step("step");
  message.learning_rate_scale = fields.F32("learning_rate_scale");
  if (!std::isfinite(message.learning_rate_scale)) {
    fields.Refuse("learning_rate_scale", "is not finite, ending");
  }
  const std::uint64_t count_bytes = fields.U64("count bytes");
  const ArraySizes sizes = TakeSections(reader, message);
  message.counts = reader.Bulk<std::byte>("counts", count_bytes);
  message.gradients = reader.Bulk<std::byte>("gradients", sizes.value_bytes);
  message.owner = reader.bulk_owner();
}

void Put(const CompactPullReply& message, FrameWriter& writer) {
  writer.fields().U64(message.request);
  writer.fields().U64(message.step);
  writer.fields().U64(message.epoch);
  writer.fields().U8(static_cast<std::uint8_t>(message.values));
  writer.fields().U64(message.rows.size());
  writer.fields().U64(message.counts.size());
  writer.Bulk(message.rows);
  writer.Bulk(message.counts);
}

void Take(FrameReader& reader, CompactPullReply& message) {
  FieldReader& fields = reader.fields();
  message.request = fields.U64("request");
  message.step = fields.Step("step");
  message.epoch = fields.U64("epoch");
  message.values = TakeValues(fields);
  const std::uint64_t row_bytes = fields.U64("row bytes");
  const std::uint64_t count_bytes = fields.U64("count bytes");
  message.rows = reader.Bulk<std::byte>("rows", row_bytes);
  message.counts = reader.Bulk<std::byte>("counts", count_bytes);
  message.owner = reader.bulk_owner();
}

void Put(const KeysWanted& message, FrameWriter& writer) {
  writer.fields().U64(message.request);
}

void Take(FrameReader& reader, KeysWanted& message) {
  message.request = reader.fields().U64("request");
}

}  // namespace longtail::wire
