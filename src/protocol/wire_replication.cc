#include "protocol/wire_replication.h"

#include <cstddef>

#include "protocol/format_limits.h"
#include "protocol/status_codec.h"

namespace longtail::wire {

void Put(const FollowLane& message, FrameWriter& writer) {
  ByteWriter& fields = writer.fields();
  fields.U64(message.request);
  fields.U32(static_cast<std::uint32_t>(message.lane));
  fields.Text(message.server);
  fields.U64(message.incarnation);
  fields.U32(message.place);
  fields.U64(message.epoch);
  fields.U64(message.last_epoch);
  fields.U64(message.next);
  fields.U64(message.held);
  fields.U64(message.image);
  fields.U32(message.part);
  fields.U64(message.offset);
}

void Take(FrameReader& reader, FollowLane& message) {
  FieldReader& fields = reader.fields();
  message.request = fields.U64("request");
  message.lane = NodeId{fields.U32("lane")};
  message.server = fields.Text("server name", kNameSizeMax);
  message.incarnation = fields.U64("incarnation");
  message.place = fields.U32("place");
  message.epoch = fields.U64("epoch");
  message.last_epoch = fields.U64("last epoch");
  message.next = fields.U64("next");
  message.held = fields.U64("held");
  message.image = fields.U64("image");
  message.part = fields.U32("part");
  message.offset = fields.U64("offset");
}

void Put(const LaneEntries& message, FrameWriter& writer) {
  ByteWriter& fields = writer.fields();
  fields.U64(message.request);
  EncodeStatus(message.status, fields);
  fields.U64(message.epoch);
  fields.U8(message.is_counted ? 1 : 0);
  fields.U64(message.log_end);
  fields.U64(message.first);
  fields.U64(message.image);
  fields.U32(message.part);
  fields.U32(message.parts);
  fields.U64(message.offset);
  fields.U64(message.bytes);
  writer.Count(message.frames.size());
  for (std::size_t i = 0; i < message.frames.size(); ++i) {
    fields.U64(message.frames[i].size());
    fields.U64(i < message.times.size() ? message.times[i] : 0);
    writer.Bulk(message.frames[i]);
  }
}

void Take(FrameReader& reader, LaneEntries& message) {
  FieldReader& fields = reader.fields();
  message.request = fields.U64("request");
  message.status = DecodeStatus(fields);
  message.epoch = fields.U64("epoch");
  message.is_counted = fields.Flag("is_counted");
  message.log_end = fields.U64("log end");
  message.first = fields.U64("first");
  message.image = fields.U64("image");
  message.part = fields.U32("part");
  message.parts = fields.U32("parts");
  message.offset = fields.U64("offset");
  message.bytes = fields.U64("bytes");
  message.frames.resize(
      fields.Count("entry count", kEntriesPerMessageMax, 2 * sizeof(std::uint64_t)));
  message.times.resize(message.frames.size());
  for (std::size_t i = 0; i < message.frames.size(); ++i) {
    const std::uint64_t bytes = fields.U64("entry bytes");
    message.times[i] = fields.U64("entry time");
    message.frames[i] = reader.Bulk<std::byte>("entry", bytes);
    if (!reader.ok()) return;
  }
  message.owners.push_back(reader.bulk_owner());
}

}  // namespace longtail::wire
