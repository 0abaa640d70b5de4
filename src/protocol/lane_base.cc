#include "protocol/lane_base.h"

#include <limits>
#include <utility>
#include <variant>

#include "base/bytes.h"
#include "base/check.h"
#include "base/limits.h"
#include "base/status_macros.h"
#include "protocol/field_reader.h"
#include "protocol/format_limits.h"
#include "protocol/map_codec.h"
#include "protocol/spec_codec.h"
#include "protocol/wire.h"

namespace longtail {
namespace {

// The least that one of each takes.
constexpr std::size_t kSessionBytes = 28;
constexpr std::size_t kTableStepsBytes = 12;
constexpr std::size_t kHeldBytes = 16;
constexpr std::size_t kPartitionBytes = 48;
constexpr std::size_t kBlobBytes = 28;
constexpr std::size_t kEpochBytes = 16;
constexpr std::uint64_t kAnyCount = std::numeric_limits<std::uint32_t>::max();
constexpr std::size_t kSizeBytes = sizeof(std::uint32_t);

template <typename T>
void PutCount(const std::vector<T>& values, ByteWriter& writer) {
  writer.U32(static_cast<std::uint32_t>(values.size()));
}

void Put(const PartitionBase& partition, ByteWriter& writer) {
  writer.U32(static_cast<std::uint32_t>(partition.partition));
  writer.U64(partition.log_position);
  writer.U64(partition.step);
  writer.U64(partition.ended_by_left);
  PutCount(partition.sessions, writer);
  for (const SessionRecord& session : partition.sessions) {
    writer.U64(static_cast<std::uint64_t>(session.session));
    writer.U32(session.rank);
    writer.U64(session.next_sequence);
    writer.U64(session.first_step);
  }
  PutCount(partition.closed, writer);
  for (const SessionId session : partition.closed) {
    writer.U64(static_cast<std::uint64_t>(session));
  }
  PutCount(partition.left, writer);
  for (const std::uint32_t rank : partition.left) writer.U32(rank);
  PutCount(partition.tables, writer);
  for (const TableSteps& table : partition.tables) {
    writer.U32(table.newest);
    writer.U64(table.ended);
  }
  PutCount(partition.held, writer);
  for (const HeldSections& held : partition.held) {
    writer.U32(held.rank);
    writer.U32(held.push);
    writer.U32(held.first);
    writer.U32(held.last);
  }
}

PartitionBase TakePartition(FieldReader& reader) {
  PartitionBase partition;
  partition.partition = PartitionId{reader.Partition()};
  partition.log_position = reader.U64("log position");
  partition.step = reader.Step("step");
  partition.ended_by_left = reader.Step("step ended by those who left");
  partition.sessions.resize(reader.Count("session count", kSessionCountMax, kSessionBytes));
  for (SessionRecord& session : partition.sessions) {
    session.session = SessionId{reader.U64("session")};
    session.rank = reader.Within("rank", 0, kWorkerCountMax - 1);
    session.next_sequence = reader.U64("next sequence");
    session.first_step = reader.Step("session's step");
  }
  partition.closed.resize(
      reader.Count("closed session count", kSessionCountMax, sizeof(std::uint64_t)));
  for (SessionId& session : partition.closed) session = SessionId{reader.U64("closed session")};
  partition.left.resize(reader.Count("left count", kWorkerCountMax, sizeof(std::uint32_t)));
  for (std::uint32_t& rank : partition.left) {
    rank = reader.Within("left rank", 0, kWorkerCountMax - 1);
  }
  partition.tables.resize(reader.Count("table count", kTableCountMax, kTableStepsBytes));
  for (TableSteps& table : partition.tables) {
    table.newest = reader.U32("newest step");
    table.ended = reader.Step("ended steps");
  }
  partition.held.resize(reader.Count("held count", kSectionCountMax, kHeldBytes));
  for (HeldSections& held : partition.held) {
    held.rank = reader.Within("held rank", 0, kWorkerCountMax - 1);
    held.push = reader.U32("held push");
    held.first = reader.U32("first section");
    held.last = reader.U32("last section");
  }
  return partition;
}

// Whether what is held names sections that are there, of this partition.
bool NamesItsSections(const PartitionBase& partition, const LaneBase& base) {
  for (const HeldSections& held : partition.held) {
    if (held.push >= base.pushes.size()) return false;
    const std::vector<PushSection>& sections = base.pushes[held.push]->sections;
    if (held.first >= held.last || held.last > sections.size()) return false;
    for (std::uint32_t i = held.first; i < held.last; ++i) {
      if (sections[i].partition != partition.partition) return false;
    }
  }
  return true;
}

}  // namespace

std::string EncodeLaneBase(const LaneBase& base) {
  std::string blob;
  ByteWriter writer(blob);
  writer.Bytes(AsBytes(kLaneBaseMagic));
  writer.U32(kLaneBaseVersion);
  writer.U32(base.lane);
  AppendSeal(blob);
  LONGTAIL_CHECK(blob.size() == kLaneBaseHeaderBytes);
  writer.U64(base.log_end);
  writer.U64(base.time_us);
  EncodeClusterMap(base.map, writer);
  PutCount(base.epochs, writer);
  for (const EpochStart& start : base.epochs) {
    writer.U64(start.epoch);
    writer.U64(start.first);
  }
  PutCount(base.tables, writer);
  for (const TableSpec& spec : base.tables) writer.Text(EncodeTableSpec(spec));
  PutCount(base.pushes, writer);
  std::string frame;
  for (const std::shared_ptr<const PushRequest>& push : base.pushes) {
    Encode(push, frame);
    writer.U64(frame.size());
    writer.Bytes(AsBytes(frame));
  }
  PutCount(base.partitions, writer);
  for (const PartitionBase& partition : base.partitions) Put(partition, writer);
  PutCount(base.blobs, writer);
  for (const SnapshotBlob& rows : base.blobs) {
    writer.Text(rows.name);
    writer.U64(rows.bytes);
    writer.U64(rows.checksum);
    writer.U64(rows.rows);
  }
  Seal(kLaneBaseEnvelope, blob);
  return blob;
}

absl::StatusOr<LaneBase> DecodeLaneBase(const std::string& what, std::span<const std::byte> blob) {
  LONGTAIL_RETURN_IF_ERROR(CheckSeal(kLaneBaseEnvelope, what, blob));
  FieldReader reader(what, blob);
  LaneBase base;
  reader.Bytes("magic", kLaneBaseMagic.size());
  if (reader.U32("version") != kLaneBaseVersion) {
    reader.Refuse("version", "is of an older form, ending");
    return reader.status();
  }
  base.lane = reader.U32("lane");
  reader.Bytes("header", kLaneBaseHeaderBytes - reader.offset());
  base.log_end = reader.U64("log end");
  base.time_us = reader.U64("time");
  base.map = ReadClusterMap(reader);
  base.epochs.resize(reader.Count("epoch count", kAnyCount, kEpochBytes));
  for (EpochStart& start : base.epochs) {
    start.epoch = reader.U64("epoch");
    start.first = reader.U64("epoch's first entry");
  }
  base.tables.resize(reader.Count("table count", kTableCountMax, kSizeBytes));
  for (TableSpec& spec : base.tables) {
    spec = ReadTableSpec(reader);
    if (!reader.ok()) return reader.status();
  }
  base.pushes.resize(reader.Count("push count", kSectionCountMax, sizeof(std::uint64_t)));
  for (std::shared_ptr<const PushRequest>& push : base.pushes) {
    const std::uint64_t size = reader.U64("bytes of a push");
    const std::span<const std::byte> frame = reader.Bytes("push", size);
    if (!reader.ok()) return reader.status();
    LONGTAIL_ASSIGN_OR_RETURN(const Message message, Decode(frame));
    const auto* held = std::get_if<std::shared_ptr<const PushRequest>>(&message);
    if (held == nullptr) {
      reader.Refuse("push", "is another message, ending");
      return reader.status();
    }
    push = *held;
  }
  base.partitions.resize(reader.Count("partition count", kPartitionCountMax, kPartitionBytes));
  for (PartitionBase& partition : base.partitions) {
    partition = TakePartition(reader);
    if (reader.ok() && !NamesItsSections(partition, base)) {
      reader.Refuse("held sections", "are not there, ending");
    }
    if (!reader.ok()) return reader.status();
  }
  base.blobs.resize(reader.Count("blob count", kBlobCountMax, kBlobBytes));
  for (SnapshotBlob& rows : base.blobs) {
    rows.name = reader.Text("blob name", kBlobNameSizeMax);
    rows.bytes = reader.U64("blob bytes");
    rows.checksum = reader.U64("blob checksum");
    rows.rows = reader.U64("blob rows");
    if (!reader.ok()) return reader.status();
  }
  reader.End();
  LONGTAIL_RETURN_IF_ERROR(reader.status());
  return base;
}

}  // namespace longtail
