#include "protocol/wire_coordination.h"

#include <memory>
#include <string>
#include <utility>

#include "protocol/count_class.h"
#include "protocol/format_limits.h"
#include "protocol/map_codec.h"
#include "protocol/spec_codec.h"
#include "protocol/status_codec.h"
#include "protocol/wire_statistics.h"

namespace longtail::wire {
namespace {

// The fewest that a member can have: two flags, four numbers and two empty texts, three counts.
constexpr std::size_t kMemberBytes = 2 + 7 * sizeof(std::uint32_t) + 6 * sizeof(std::uint64_t);
constexpr std::uint8_t kPlacingMax = static_cast<std::uint8_t>(Placing::kAway);
constexpr std::size_t kLaneEpochBytes = sizeof(std::uint32_t) + sizeof(std::uint64_t);
constexpr std::size_t kLaneLoadBytes = sizeof(std::uint32_t) + 3 * sizeof(std::uint64_t);
constexpr std::size_t kStuckReplicaBytes = kLaneEpochBytes + sizeof(std::uint64_t);

}  // namespace

void Put(const JoinServer& message, FrameWriter& writer) {
  writer.fields().U64(message.request);
  EncodeServerEntry(message.server, writer.fields());
  writer.fields().U64(message.cluster);
}

void Take(FrameReader& reader, JoinServer& message) {
  message.request = reader.fields().U64("request");
  message.server = ReadServerEntry(reader.fields());
  message.cluster = reader.fields().U64("cluster");
}

void Put(const JoinWorker& message, FrameWriter& writer) {
  writer.fields().U64(message.request);
  writer.fields().Text(message.name);
  writer.fields().U64(message.incarnation);
  writer.fields().U32(message.rank);
}

void Take(FrameReader& reader, JoinWorker& message) {
  message.request = reader.fields().U64("request");
  message.name = reader.fields().Text("name", kNameSizeMax);
  message.incarnation = reader.fields().U64("incarnation");
  message.rank = reader.fields().U32("rank");
}

void Put(const WorkerPlace& message, FrameWriter& writer) {
  writer.fields().U64(message.request);
  EncodeStatus(message.status, writer.fields());
  writer.fields().U64(static_cast<std::uint64_t>(message.session));
  writer.fields().U32(message.rank);
  writer.fields().U32(message.lease_ms);
}

void Take(FrameReader& reader, WorkerPlace& message) {
  message.request = reader.fields().U64("request");
  message.status = DecodeStatus(reader.fields());
  message.session = SessionId{reader.fields().U64("session")};
  message.rank = reader.fields().U32("rank");
  message.lease_ms = reader.fields().U32("lease");
}

namespace {

void PutLoads(const std::vector<LaneLoad>& loads, FrameWriter& writer) {
  writer.Count(loads.size());
  for (const LaneLoad& load : loads) {
    writer.fields().U32(static_cast<std::uint32_t>(load.lane));
    writer.fields().U64(load.rows);
    writer.fields().U64(load.rows_pulled);
    writer.fields().U64(load.rows_pushed);
  }
}

void TakeLoads(FieldReader& fields, std::uint64_t count_max, std::vector<LaneLoad>& loads) {
  loads.resize(fields.Count("load count", count_max, kLaneLoadBytes));
  for (LaneLoad& load : loads) {
    load.lane = NodeId{fields.U32("lane")};
    load.rows = fields.U64("lane's rows");
    load.rows_pulled = fields.U64("lane's rows pulled");
    load.rows_pushed = fields.U64("lane's rows pushed");
  }
}

void PutTables(const std::vector<TableStatistics>& tables, FrameWriter& writer) {
  writer.Count(tables.size());
  for (const TableStatistics& table : tables) PutStatistics(table, writer);
}

void TakeTables(FieldReader& fields, std::vector<TableStatistics>& tables) {
  tables.resize(fields.Count("table count", kTableCountMax, StatisticsBytesMin()));
  for (TableStatistics& table : tables) {
    TakeStatistics(fields, kCountClasses, table);
    if (!fields.ok()) return;
  }
}

}  // namespace

void Put(const Heartbeat& message, FrameWriter& writer) {
  ByteWriter& fields = writer.fields();
  fields.U64(message.request);
  fields.U64(static_cast<std::uint64_t>(message.session));
  fields.Text(message.server);
  fields.U64(message.incarnation);
  fields.U64(message.map_version);
  fields.U64(message.rows);
  fields.U64(message.bytes);
  writer.Count(message.caught_up.size());
  for (const LaneEpoch& lane : message.caught_up) {
    fields.U32(static_cast<std::uint32_t>(lane.lane));
    fields.U64(lane.epoch);
  }
  writer.Count(message.stuck.size());
  for (const StuckReplica& replica : message.stuck) {
    fields.U32(static_cast<std::uint32_t>(replica.lane.lane));
    fields.U64(replica.lane.epoch);
    fields.U64(replica.incarnation);
  }
  fields.U64(message.rows_pulled);
  fields.U64(message.rows_pushed);
  fields.U64(message.behind_ms);
  PutLoads(message.loads, writer);
  PutTables(message.tables, writer);
}

void Take(FrameReader& reader, Heartbeat& message) {
  FieldReader& fields = reader.fields();
  message.request = fields.U64("request");
  message.session = SessionId{fields.U64("session")};
  message.server = fields.Text("server name", kNameSizeMax);
  message.incarnation = fields.U64("incarnation");
  message.map_version = fields.U64("map version");
  message.rows = fields.U64("rows");
  message.bytes = fields.U64("bytes");
  message.caught_up.resize(fields.Count("caught-up count", kLaneCountMax, kLaneEpochBytes));
  for (LaneEpoch& lane : message.caught_up) {
    lane.lane = NodeId{fields.U32("lane")};
    lane.epoch = fields.U64("epoch");
  }
  message.stuck.resize(fields.Count("stuck count", kLaneCountMax, kStuckReplicaBytes));
  for (StuckReplica& replica : message.stuck) {
    replica.lane.lane = NodeId{fields.U32("lane")};
    replica.lane.epoch = fields.U64("epoch");
    replica.incarnation = fields.U64("incarnation");
  }
  message.rows_pulled = fields.U64("rows pulled");
  message.rows_pushed = fields.U64("rows pushed");
  message.behind_ms = fields.U64("behind_ms");
  TakeLoads(fields, kLaneCountMax, message.loads);
  TakeTables(fields, message.tables);
}

void Put(const LeaveWorker& message, FrameWriter& writer) {
  writer.fields().U64(message.request);
  writer.fields().U64(static_cast<std::uint64_t>(message.session));
}

void Take(FrameReader& reader, LeaveWorker& message) {
  message.request = reader.fields().U64("request");
  message.session = SessionId{reader.fields().U64("session")};
}

void Put(const MapRequest& message, FrameWriter& writer) {
  writer.fields().U64(message.request);
}

void Take(FrameReader& reader, MapRequest& message) {
  message.request = reader.fields().U64("request");
}

void Put(const MapReply& message, FrameWriter& writer) {
  writer.fields().U64(message.request);
  EncodeStatus(message.status, writer.fields());
  writer.fields().Text(message.waits_for);
  writer.fields().U8(message.map != nullptr ? 1 : 0);
  if (message.map != nullptr) EncodeClusterMap(*message.map, writer.fields());
}

void Take(FrameReader& reader, MapReply& message) {
  FieldReader& fields = reader.fields();
  message.request = fields.U64("request");
  message.status = DecodeStatus(fields);
  message.waits_for = fields.Text("waits_for", kStatusMessageSizeMax);
  if (!fields.Flag("has map") || !fields.ok()) return;
  message.map = std::make_shared<const ClusterMap>(ReadClusterMap(fields));
}

void Put(const DefineTable& message, FrameWriter& writer) {
  writer.fields().U64(message.request);
  writer.fields().Text(EncodeTableSpec(message.spec));
}

void Take(FrameReader& reader, DefineTable& message) {
  message.request = reader.fields().U64("request");
  message.spec = ReadTableSpec(reader.fields());
}

void Put(const TableReply& message, FrameWriter& writer) {
  writer.fields().U64(message.request);
  EncodeStatus(message.status, writer.fields());
  writer.fields().U32(static_cast<std::uint32_t>(message.table));
}

void Take(FrameReader& reader, TableReply& message) {
  message.request = reader.fields().U64("request");
  message.status = DecodeStatus(reader.fields());
  message.table = TableId{reader.fields().Table()};
}

void Put(const PlaceLanes& message, FrameWriter& writer) {
  writer.fields().U64(message.request);
  writer.fields().U8(static_cast<std::uint8_t>(message.placing));
  writer.fields().U32(static_cast<std::uint32_t>(message.lane));
  writer.fields().Text(message.server);
}

void Take(FrameReader& reader, PlaceLanes& message) {
  FieldReader& fields = reader.fields();
  message.request = fields.U64("request");
  const std::uint8_t placing = fields.U8("placing");
  if (placing > kPlacingMax) {
    fields.Refuse("placing", std::to_string(placing) + ": want 0.." + std::to_string(kPlacingMax) +
                                 ", ending");
  }
  message.placing = static_cast<Placing>(placing);
  message.lane = NodeId{fields.U32("lane")};
  message.server = fields.Text("server name", kNameSizeMax);
}

void Put(const RollBack& message, FrameWriter& writer) {
  writer.fields().U64(message.request);
  writer.fields().Text(message.checkpoint);
  writer.fields().U64(message.step);
  writer.fields().U64(message.id);
}

void Take(FrameReader& reader, RollBack& message) {
  message.request = reader.fields().U64("request");
  message.checkpoint = reader.fields().Text("checkpoint", kBlobNameSizeMax);
  message.step = reader.fields().Step("step");
  message.id = reader.fields().U64("rollback");
}

void Put(const MembersRequest& message, FrameWriter& writer) {
  writer.fields().U64(message.request);
}

void Take(FrameReader& reader, MembersRequest& message) {
  message.request = reader.fields().U64("request");
}

void Put(const MembersReply& message, FrameWriter& writer) {
  ByteWriter& fields = writer.fields();
  fields.U64(message.request);
  EncodeStatus(message.status, fields);
  fields.Text(message.waits_for);
  fields.U64(message.map_version);
  fields.U64(message.epoch);
  fields.U32(message.moves_left);
  writer.Count(message.members.size());
  for (const Member& member : message.members) {
    fields.U8(static_cast<std::uint8_t>(member.kind));
    fields.Text(member.name);
    fields.U32(member.number);
    fields.U64(member.silent_ms);
    fields.U8(member.is_late ? 1 : 0);
    fields.U32(member.lanes);
    fields.U32(member.partitions);
    fields.U64(member.rows);
    fields.U64(member.bytes);
    fields.U32(member.follows);
    fields.Text(member.problem);
    fields.U64(member.rows_pulled_per_second);
    fields.U64(member.rows_pushed_per_second);
    fields.U32(member.reads);
    fields.U64(member.behind_ms);
  }
  PutLoads(message.lanes, writer);
  PutTables(message.tables, writer);
}

void Take(FrameReader& reader, MembersReply& message) {
  FieldReader& fields = reader.fields();
  message.request = fields.U64("request");
  message.status = DecodeStatus(fields);
  message.waits_for = fields.Text("waits_for", kStatusMessageSizeMax);
  message.map_version = fields.U64("map version");
  message.epoch = fields.U64("epoch");
  message.moves_left = fields.U32("moves left");
  message.members.resize(
      fields.Count("member count", kServerCountMax + kWorkerCountMax, kMemberBytes));
  for (Member& member : message.members) {
    member.kind = fields.Flag("member kind") ? MemberKind::kWorker : MemberKind::kServer;
    member.name = fields.Text("member name", kNameSizeMax);
    member.number = fields.U32("member number");
    member.silent_ms = fields.U64("silent_ms");
    member.is_late = fields.Flag("is_late");
    member.lanes = fields.U32("lanes");
    member.partitions = fields.U32("partitions");
    member.rows = fields.U64("rows");
    member.bytes = fields.U64("bytes");
    member.follows = fields.U32("follows");
    member.problem = fields.Text("problem", kStatusMessageSizeMax);
    member.rows_pulled_per_second = fields.U64("rows pulled per second");
    member.rows_pushed_per_second = fields.U64("rows pushed per second");
    member.reads = fields.U32("reads");
    member.behind_ms = fields.U64("behind_ms");
    if (!fields.ok()) return;
  }
  TakeLoads(fields, std::uint64_t{kServerCountMax} * kLaneCountMax, message.lanes);
  TakeTables(fields, message.tables);
}

void Put(const EnterBarrier& message, FrameWriter& writer) {
  writer.fields().U64(message.request);
  writer.fields().Text(message.name);
  writer.fields().U64(message.participant);
  writer.fields().U32(message.count);
}

void Take(FrameReader& reader, EnterBarrier& message) {
  message.request = reader.fields().U64("request");
  message.name = reader.fields().Text("barrier name", kNameSizeMax);
  message.participant = reader.fields().U64("participant");
  message.count = reader.fields().Within("participants", 1, kWorkerCountMax);
}

void Put(const AboutRequest& message, FrameWriter& writer) {
  writer.fields().U64(message.request);
}

void Take(FrameReader& reader, AboutRequest& message) {
  message.request = reader.fields().U64("request");
}

void Put(const AboutReply& message, FrameWriter& writer) {
  writer.fields().U64(message.request);
  EncodeStatus(message.status, writer.fields());
  writer.fields().Text(message.name);
  writer.fields().Text(message.version);
  writer.fields().U64(message.time_us);
}

void Take(FrameReader& reader, AboutReply& message) {
  message.request = reader.fields().U64("request");
  message.status = DecodeStatus(reader.fields());
  message.name = reader.fields().Text("name", kNameSizeMax);
  message.version = reader.fields().Text("version", kNameSizeMax);
  message.time_us = reader.fields().U64("time");
}

}  // namespace longtail::wire
