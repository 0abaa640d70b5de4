#include "protocol/map_codec.h"

#include <bit>
#include <string>

#include "longtail/step_mode.h"
#include "protocol/format_limits.h"
#include "protocol/spec_codec.h"

namespace longtail {
namespace {

constexpr std::size_t kTextBytes = sizeof(std::uint32_t);
constexpr std::size_t kLaneBytes = 2 * sizeof(std::uint32_t) + 1;
constexpr std::uint8_t kRoleMax = static_cast<std::uint8_t>(ReplicaRole::kReader);
constexpr std::size_t kServerBytes = 3 * sizeof(std::uint32_t) + sizeof(std::uint64_t) + 2;
constexpr std::uint32_t kStepModeMax = static_cast<std::uint32_t>(StepMode::kBoundedStaleness);

}  // namespace

void EncodeServerEntry(const ServerEntry& server, ByteWriter& writer) {
  writer.Text(server.name);
  writer.U64(server.incarnation);
  writer.Text(server.host);
  writer.U32(static_cast<std::uint32_t>(server.lanes.size()));
  for (const LaneEntry& lane : server.lanes) {
    writer.U32(static_cast<std::uint32_t>(lane.node));
    writer.U32(static_cast<std::uint32_t>(lane.addresses.size()));
    for (const std::string& address : lane.addresses) writer.Text(address);
    writer.U8(static_cast<std::uint8_t>(lane.role));
  }
  writer.U64(server.log);
  writer.U8(server.is_drained ? 1 : 0);
}

ServerEntry ReadServerEntry(FieldReader& reader) {
  ServerEntry server;
  server.name = reader.Text("server name", kNameSizeMax);
  server.incarnation = reader.U64("incarnation");
  server.host = reader.Text("host", kAddressSizeMax);
  server.lanes.resize(reader.Count("lane count", kLaneCountMax, kLaneBytes));
  for (LaneEntry& lane : server.lanes) {
    lane.node = NodeId{reader.U32("lane")};
    lane.addresses.resize(reader.Count("address count", kAddressCountMax, kTextBytes));
    for (std::string& address : lane.addresses) address = reader.Text("address", kAddressSizeMax);
    const std::uint8_t role = reader.U8("role");
    if (role > kRoleMax) {
      reader.Refuse("role",
                    std::to_string(role) + ": want 0.." + std::to_string(kRoleMax) + ", ending");
      break;
    }
    lane.role = static_cast<ReplicaRole>(role);
    if (!reader.ok()) return server;
  }
  server.log = reader.U64("log");
  server.is_drained = reader.Flag("is_drained");
  return server;
}

void EncodeClusterMap(const ClusterMap& map, ByteWriter& writer) {
  writer.U64(map.version);
  writer.U64(map.epoch);
  writer.U64(map.cluster);
  writer.U8(static_cast<std::uint8_t>(map.step_mode));
  writer.U32(map.staleness);
  writer.U32(map.worker_count);
  writer.U32(static_cast<std::uint32_t>(map.lanes.size()));
  for (const NodeId lane : map.lanes) writer.U32(static_cast<std::uint32_t>(lane));
  writer.U32(static_cast<std::uint32_t>(map.lane_of.size()));
  for (const std::uint32_t lane : map.lane_of) writer.U32(lane);
  writer.U32(static_cast<std::uint32_t>(map.tables.size()));
  for (const TableSpec& spec : map.tables) writer.Text(EncodeTableSpec(spec));
  writer.U32(static_cast<std::uint32_t>(map.servers.size()));
  for (const ServerEntry& server : map.servers) EncodeServerEntry(server, writer);
  writer.U32(map.replicas);
  writer.U32(static_cast<std::uint32_t>(map.lane_epochs.size()));
  for (const std::uint64_t epoch : map.lane_epochs) writer.U64(epoch);
  writer.Text(map.rolled_back.checkpoint);
  writer.U64(map.rolled_back.step);
  writer.U64(static_cast<std::uint64_t>(map.rolled_back.first_session));
  writer.U64(map.rolled_back.id);
  writer.U64(map.rolled_back.at_us);
}

ClusterMap ReadClusterMap(FieldReader& reader) {
  ClusterMap map;
  map.version = reader.U64("map version");
  map.epoch = reader.U64("epoch");
  map.cluster = reader.U64("cluster");
  const std::uint8_t mode = reader.U8("step mode");
  if (mode > kStepModeMax) {
    reader.Refuse("step mode",
                  std::to_string(mode) + ": want 0.." + std::to_string(kStepModeMax) + ", ending");
  }
  map.step_mode = static_cast<StepMode>(mode);
  map.staleness = reader.Within("staleness", 0, kStalenessMax);
  map.worker_count = reader.Within("worker count", 1, kWorkerCountMax);
  map.lanes.resize(reader.Count("lane count", std::uint64_t{kServerCountMax} * kLaneCountMax,
                                sizeof(std::uint32_t)));
  for (NodeId& lane : map.lanes) lane = NodeId{reader.U32("lane")};
  map.lane_of.resize(reader.Count("partition count", kPartitionCountMax, sizeof(std::uint32_t)));
  if (reader.ok() && !std::has_single_bit(map.lane_of.size())) {
    reader.Refuse("partition count",
                  std::to_string(map.lane_of.size()) + ": want a power of two, ending");
  }
  for (std::uint32_t& lane : map.lane_of) {
    lane = reader.U32("partition's lane");
    // Before there are lanes, partitions have no owner and the number means nothing.
    if (reader.ok() && lane >= map.lanes.size() && (lane != 0 || !map.lanes.empty())) {
      reader.Refuse("partition's lane", std::to_string(lane) + ": there are " +
                                            std::to_string(map.lanes.size()) + " lanes, ending");
    }
    if (!reader.ok()) return map;
  }
  map.tables.resize(reader.Count("table count", kTableCountMax, kTextBytes));
  for (TableSpec& spec : map.tables) {
    spec = ReadTableSpec(reader);
    if (!reader.ok()) return map;
  }
  map.servers.resize(reader.Count("server count", kServerCountMax, kServerBytes));
  for (ServerEntry& server : map.servers) {
    server = ReadServerEntry(reader);
    if (!reader.ok()) return map;
  }
  map.replicas = reader.Within("replicas", 1, kReplicaCountMax);
  map.lane_epochs.resize(reader.Count("lane epoch count", map.lanes.size(), sizeof(std::uint64_t)));
  if (reader.ok() && !map.lane_epochs.empty() && map.lane_epochs.size() != map.lanes.size()) {
    reader.Refuse("lane epoch count", std::to_string(map.lane_epochs.size()) + ": want 0 or " +
                                          std::to_string(map.lanes.size()) + ", ending");
  }
  for (std::uint64_t& epoch : map.lane_epochs) epoch = reader.U64("lane epoch");
  map.rolled_back.checkpoint = reader.Text("checkpoint rolled back to", kBlobNameSizeMax);
  map.rolled_back.step = reader.U64("step rolled back to");
  map.rolled_back.first_session = SessionId{reader.U64("first session")};
  map.rolled_back.id = reader.U64("rollback");
  map.rolled_back.at_us = reader.U64("time of the rollback");
  return map;
}

}  // namespace longtail
