// The frame of a message: a header, its fields, then its bulk arrays as they lie in memory.
//
//   0   4  magic "LTMS"            16  4  bytes of the fields
//   4   2  version                 20  4  zero
//   6   2  kind                    24  …  fields, zeros up to a multiple of 8
//   8   8  bytes of the frame      …   …  bulk arrays, each with zeros up to a multiple of 8
//
// One set of values has one encoding: what decodes, encodes to the same bytes. docs/FORMATS.md has
// it all.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace longtail {

inline constexpr std::uint32_t kFrameMagic = 0x534D544C;  // "LTMS".
inline constexpr std::uint16_t kFrameVersion = 1;
inline constexpr std::size_t kFrameHeaderBytes = 24;
inline constexpr std::size_t kFrameAlignment = 8;
inline constexpr std::size_t kFrameSizeOffset = 8;
inline constexpr std::size_t kFrameFieldBytesOffset = 16;

/// What a message is. On the wire: append only, never reuse.
enum class MessageKind : std::uint16_t {
  kPullRequest = 1,
  kPushRequest = 2,
  kBarrierRequest = 3,
  kPullReply = 4,
  kAcknowledgement = 5,
  kOpenSession = 6,
  kCloseSession = 7,
  kCreateTable = 8,
  kStatisticsRequest = 9,
  kStatisticsReply = 10,
  kSnapshotRequest = 11,
  kSnapshotReply = 12,
  kImportRows = 13,
  kImportStep = 14,
  kJoinServer = 15,
  kJoinWorker = 16,
  kWorkerPlace = 17,
  kHeartbeat = 18,
  kLeaveWorker = 19,
  kMapRequest = 20,
  kMapReply = 21,
  kDefineTable = 22,
  kTableReply = 23,
  kMembersRequest = 24,
  kMembersReply = 25,
  kEnterBarrier = 26,
  kCompactPull = 27,
  kCompactPush = 28,
  kCompactPullReply = 29,
  kKeysWanted = 30,
  kFollowLane = 31,
  kLaneEntries = 32,
  kPlaceLanes = 33,
  kRollBack = 34,
  kAboutRequest = 35,
  kAboutReply = 36,
};

/// Their names, by number.
inline constexpr auto kMessageKindNames = std::to_array<std::string_view>({
    "",
    "PullRequest",
    "PushRequest",
    "BarrierRequest",
    "PullReply",
    "Acknowledgement",
    "OpenSession",
    "CloseSession",
    "CreateTable",
    "StatisticsRequest",
    "StatisticsReply",
    "SnapshotRequest",
    "SnapshotReply",
    "ImportRows",
    "ImportStep",
    "JoinServer",
    "JoinWorker",
    "WorkerPlace",
    "Heartbeat",
    "LeaveWorker",
    "MapRequest",
    "MapReply",
    "DefineTable",
    "TableReply",
    "MembersRequest",
    "MembersReply",
    "EnterBarrier",
    "CompactPull",
    "CompactPush",
    "CompactPullReply",
    "KeysWanted",
    "FollowLane",
    "LaneEntries",
    "PlaceLanes",
    "RollBack",
    "AboutRequest",
    "AboutReply",
});

}  // namespace longtail
