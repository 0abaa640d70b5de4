#include "protocol/coordinator_state.h"

#include "base/bytes.h"
#include "base/check.h"
#include "base/limits.h"
#include "base/status_macros.h"
#include "protocol/blob_envelope.h"
#include "protocol/field_reader.h"
#include "protocol/map_codec.h"
#include "protocol/spec_codec.h"

namespace longtail {
namespace {

constexpr BlobEnvelope kEnvelope{.magic = kCoordinatorStateMagic,
                                 .version = kCoordinatorStateVersion,
                                 .header_bytes = kCoordinatorStateHeaderBytes};
constexpr std::size_t kMoveBytes = 3 * sizeof(std::uint32_t) + 1;
constexpr std::uint64_t kMoveCountMax = std::uint64_t{kServerCountMax} * kLaneCountMax;
constexpr std::size_t kWorkerBytes = 2 * sizeof(std::uint64_t) + 2 * sizeof(std::uint32_t);

}  // namespace

std::string EncodeCoordinatorState(const CoordinatorState& state) {
  std::string blob;
  ByteWriter writer(blob);
  writer.Bytes(AsBytes(kCoordinatorStateMagic));
  writer.U32(kCoordinatorStateVersion);
  writer.U32(0);
  AppendSeal(blob);
  LONGTAIL_CHECK(blob.size() == kCoordinatorStateHeaderBytes);
  writer.U32(state.server_count);
  writer.U64(state.next_session);
  EncodeClusterMap(state.map, writer);
  writer.U32(static_cast<std::uint32_t>(state.workers.size()));
  for (const WorkerEntry& worker : state.workers) {
    writer.U64(static_cast<std::uint64_t>(worker.session));
    writer.U32(worker.rank);
    writer.Text(worker.name);
    writer.U64(worker.incarnation);
  }
  writer.U8(state.pending.has_value() ? 1 : 0);
  if (state.pending) writer.Text(EncodeTableSpec(*state.pending));
  writer.U32(static_cast<std::uint32_t>(state.moves.size()));
  for (const LaneMove& move : state.moves) {
    writer.U32(static_cast<std::uint32_t>(move.lane));
    writer.Text(move.from);
    writer.Text(move.to);
    writer.U8(move.keeps ? 1 : 0);
  }
  Seal(kEnvelope, blob);
  return blob;
}

absl::StatusOr<CoordinatorState> DecodeCoordinatorState(const std::string& what,
                                                        std::span<const std::byte> blob) {
  LONGTAIL_RETURN_IF_ERROR(CheckSeal(kEnvelope, what, blob));
  FieldReader reader(what, blob);
  reader.Bytes("header", kCoordinatorStateHeaderBytes);
  CoordinatorState state;
  state.server_count = reader.Within("server count", 1, kServerCountMax);
  state.next_session = reader.U64("next session");
  state.map = ReadClusterMap(reader);
  state.workers.resize(reader.Count("worker count", kWorkerCountMax, kWorkerBytes));
  for (WorkerEntry& worker : state.workers) {
    worker.session = SessionId{reader.U64("session")};
    worker.rank = reader.Within("rank", 0, kWorkerCountMax - 1);
    worker.name = reader.Text("worker name", kNameSizeMax);
    worker.incarnation = reader.U64("incarnation");
    if (!reader.ok()) break;
  }
  if (reader.Flag("has pending")) state.pending = ReadTableSpec(reader);
  state.moves.resize(reader.Count("move count", kMoveCountMax, kMoveBytes));
  for (LaneMove& move : state.moves) {
    move.lane = NodeId{reader.U32("moved lane")};
    move.from = reader.Text("server that it leaves", kNameSizeMax);
    move.to = reader.Text("server that it goes to", kNameSizeMax);
    move.keeps = reader.Flag("keeps");
    if (!reader.ok()) break;
  }
  reader.End();
  LONGTAIL_RETURN_IF_ERROR(reader.status());
  return state;
}

}  // namespace longtail
