#include "protocol/wire.h"

#include <memory>
#include <utility>
#include <variant>

#include "base/check.h"
#include "base/status_macros.h"
#include "protocol/frame_reader.h"
#include "protocol/frame_writer.h"
#include "protocol/wire_compact.h"
#include "protocol/wire_control.h"
#include "protocol/wire_coordination.h"
#include "protocol/wire_data.h"
#include "protocol/wire_replication.h"

namespace longtail {
namespace {

template <typename T>
struct KindOf;
template <MessageKind kind>
struct Is {
  static constexpr MessageKind kValue = kind;
};
template <>
struct KindOf<PullRequest> : Is<MessageKind::kPullRequest> {};
template <>
struct KindOf<PushRequest> : Is<MessageKind::kPushRequest> {};
template <>
struct KindOf<BarrierRequest> : Is<MessageKind::kBarrierRequest> {};
template <>
struct KindOf<PullReply> : Is<MessageKind::kPullReply> {};
template <>
struct KindOf<Acknowledgement> : Is<MessageKind::kAcknowledgement> {};
template <>
struct KindOf<OpenSession> : Is<MessageKind::kOpenSession> {};
template <>
struct KindOf<CloseSession> : Is<MessageKind::kCloseSession> {};
template <>
struct KindOf<CreateTable> : Is<MessageKind::kCreateTable> {};
template <>
struct KindOf<StatisticsRequest> : Is<MessageKind::kStatisticsRequest> {};
template <>
struct KindOf<StatisticsReply> : Is<MessageKind::kStatisticsReply> {};
template <>
struct KindOf<SnapshotRequest> : Is<MessageKind::kSnapshotRequest> {};
template <>
struct KindOf<SnapshotReply> : Is<MessageKind::kSnapshotReply> {};
template <>
struct KindOf<ImportRows> : Is<MessageKind::kImportRows> {};
template <>
struct KindOf<ImportStep> : Is<MessageKind::kImportStep> {};
template <>
struct KindOf<JoinServer> : Is<MessageKind::kJoinServer> {};
template <>
struct KindOf<JoinWorker> : Is<MessageKind::kJoinWorker> {};
template <>
struct KindOf<WorkerPlace> : Is<MessageKind::kWorkerPlace> {};
template <>
struct KindOf<Heartbeat> : Is<MessageKind::kHeartbeat> {};
template <>
struct KindOf<LeaveWorker> : Is<MessageKind::kLeaveWorker> {};
template <>
struct KindOf<MapRequest> : Is<MessageKind::kMapRequest> {};
template <>
struct KindOf<MapReply> : Is<MessageKind::kMapReply> {};
template <>
struct KindOf<DefineTable> : Is<MessageKind::kDefineTable> {};
template <>
struct KindOf<TableReply> : Is<MessageKind::kTableReply> {};
template <>
struct KindOf<MembersRequest> : Is<MessageKind::kMembersRequest> {};
template <>
struct KindOf<MembersReply> : Is<MessageKind::kMembersReply> {};
template <>
struct KindOf<EnterBarrier> : Is<MessageKind::kEnterBarrier> {};
template <>
struct KindOf<CompactPull> : Is<MessageKind::kCompactPull> {};
template <>
struct KindOf<CompactPush> : Is<MessageKind::kCompactPush> {};
template <>
struct KindOf<CompactPullReply> : Is<MessageKind::kCompactPullReply> {};
template <>
struct KindOf<KeysWanted> : Is<MessageKind::kKeysWanted> {};
template <>
struct KindOf<FollowLane> : Is<MessageKind::kFollowLane> {};
template <>
struct KindOf<LaneEntries> : Is<MessageKind::kLaneEntries> {};
template <>
struct KindOf<PlaceLanes> : Is<MessageKind::kPlaceLanes> {};
template <>
struct KindOf<RollBack> : Is<MessageKind::kRollBack> {};
template <>
struct KindOf<AboutRequest> : Is<MessageKind::kAboutRequest> {};
template <>
struct KindOf<AboutReply> : Is<MessageKind::kAboutReply> {};

template <typename T>
void PutFrame(const T& message, std::string& out) {
  FrameWriter writer(KindOf<T>::kValue, out);
  wire::Put(message, writer);
  writer.Finish();
}

template <typename T>
void PutFrame(const std::shared_ptr<const T>& message, std::string& out) {
  LONGTAIL_CHECK(message != nullptr);
  PutFrame(*message, out);
}

template <typename T>
void PutPieces(const T& message, std::size_t array_bytes_min, std::string& out,
               std::vector<FramePiece>& pieces) {
  FrameWriter writer(KindOf<T>::kValue, out);
  wire::Put(message, writer);
  writer.FinishInPieces(array_bytes_min, pieces);
}

template <typename T>
void PutPieces(const std::shared_ptr<const T>& message, std::size_t array_bytes_min,
               std::string& out, std::vector<FramePiece>& pieces) {
  LONGTAIL_CHECK(message != nullptr);
  PutPieces(*message, array_bytes_min, out, pieces);
}

template <typename T>
absl::StatusOr<Message> TakeFrame(FrameReader& reader) {
  T message;
  wire::Take(reader, message);
  LONGTAIL_RETURN_IF_ERROR(reader.Finish());
  if constexpr (std::is_constructible_v<Message, std::in_place_type_t<T>, T&&>) {
    return Message(std::in_place_type<T>, std::move(message));
  } else {
    return Message(std::make_shared<const T>(std::move(message)));
  }
}

absl::StatusOr<Message> TakeMessage(FrameReader& reader);

}  // namespace

void Encode(const Message& message, std::string& out) {
  std::visit([&](const auto& body) { PutFrame(body, out); }, message);
}

void EncodeInPieces(const Message& message, std::size_t array_bytes_min, std::string& out,
                    std::vector<FramePiece>& pieces) {
  LONGTAIL_CHECK(array_bytes_min > 0);
  std::visit([&](const auto& body) { PutPieces(body, array_bytes_min, out, pieces); }, message);
}

absl::StatusOr<Message> Decode(std::span<const std::byte> frame) {
  LONGTAIL_ASSIGN_OR_RETURN(FrameReader reader, FrameReader::Open(frame));
  return TakeMessage(reader);
}

absl::StatusOr<Message> Decode(std::span<const std::span<const std::byte>> parts,
                               std::shared_ptr<const void> owner) {
  LONGTAIL_ASSIGN_OR_RETURN(FrameReader reader, FrameReader::Open(parts, std::move(owner)));
  return TakeMessage(reader);
}

namespace {

absl::StatusOr<Message> TakeMessage(FrameReader& reader) {
  switch (reader.kind()) {
    case MessageKind::kPullRequest:
      return TakeFrame<PullRequest>(reader);
    case MessageKind::kPushRequest:
      return TakeFrame<PushRequest>(reader);
    case MessageKind::kBarrierRequest:
      return TakeFrame<BarrierRequest>(reader);
    case MessageKind::kPullReply:
      return TakeFrame<PullReply>(reader);
    case MessageKind::kAcknowledgement:
      return TakeFrame<Acknowledgement>(reader);
    case MessageKind::kOpenSession:
      return TakeFrame<OpenSession>(reader);
    case MessageKind::kCloseSession:
      return TakeFrame<CloseSession>(reader);
    case MessageKind::kCreateTable:
      return TakeFrame<CreateTable>(reader);
    case MessageKind::kStatisticsRequest:
      return TakeFrame<StatisticsRequest>(reader);
    case MessageKind::kStatisticsReply:
      return TakeFrame<StatisticsReply>(reader);
    case MessageKind::kSnapshotRequest:
      return TakeFrame<SnapshotRequest>(reader);
    case MessageKind::kSnapshotReply:
      return TakeFrame<SnapshotReply>(reader);
    case MessageKind::kImportRows:
      return TakeFrame<ImportRows>(reader);
    case MessageKind::kImportStep:
      return TakeFrame<ImportStep>(reader);
    case MessageKind::kJoinServer:
      return TakeFrame<JoinServer>(reader);
    case MessageKind::kJoinWorker:
      return TakeFrame<JoinWorker>(reader);
    case MessageKind::kWorkerPlace:
      return TakeFrame<WorkerPlace>(reader);
    case MessageKind::kHeartbeat:
      return TakeFrame<Heartbeat>(reader);
    case MessageKind::kLeaveWorker:
      return TakeFrame<LeaveWorker>(reader);
    case MessageKind::kMapRequest:
      return TakeFrame<MapRequest>(reader);
    case MessageKind::kMapReply:
      return TakeFrame<MapReply>(reader);
    case MessageKind::kDefineTable:
      return TakeFrame<DefineTable>(reader);
    case MessageKind::kTableReply:
      return TakeFrame<TableReply>(reader);
    case MessageKind::kMembersRequest:
      return TakeFrame<MembersRequest>(reader);
    case MessageKind::kMembersReply:
      return TakeFrame<MembersReply>(reader);
    case MessageKind::kEnterBarrier:
      return TakeFrame<EnterBarrier>(reader);
    case MessageKind::kCompactPull:
      return TakeFrame<CompactPull>(reader);
    case MessageKind::kCompactPush:
      return TakeFrame<CompactPush>(reader);
    case MessageKind::kCompactPullReply:
      return TakeFrame<CompactPullReply>(reader);
    case MessageKind::kKeysWanted:
      return TakeFrame<KeysWanted>(reader);
    case MessageKind::kFollowLane:
      return TakeFrame<FollowLane>(reader);
    case MessageKind::kLaneEntries:
      return TakeFrame<LaneEntries>(reader);
    case MessageKind::kPlaceLanes:
      return TakeFrame<PlaceLanes>(reader);
    case MessageKind::kRollBack:
      return TakeFrame<RollBack>(reader);
    case MessageKind::kAboutRequest:
      return TakeFrame<AboutRequest>(reader);
    case MessageKind::kAboutReply:
      return TakeFrame<AboutReply>(reader);
  }
  return absl::InvalidArgumentError("message: unknown kind");  // Open refused it already.
}

}  // namespace
}  // namespace longtail
