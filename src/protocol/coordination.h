// What servers, workers and operators say to the coordinator, and its answers.
//
// The coordinator gives out places: a server's lanes get their node numbers and partitions, a
// worker its session and rank. Whoever has a place says now and then that it lives. Repeating any
// of these requests changes nothing.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "longtail/ids.h"
#include "longtail/statistics.h"
#include "longtail/table_spec.h"
#include "protocol/cluster_map.h"
#include "protocol/node_ids.h"

namespace longtail {

/// The coordinator's node number, in every process.
inline constexpr NodeId kCoordinatorNode{0};

/// A worker that takes any free rank.
inline constexpr std::uint32_t kAnyRank = std::numeric_limits<std::uint32_t>::max();

/// A server's lanes are listening. Answered by MapReply. Its node numbers are not looked at.
struct JoinServer {
  std::uint64_t request = 0;
  ServerEntry server;
  std::uint64_t cluster = 0;  ///< Whose rows it has from its log, or 0: it has none.
};

/// A worker wants a place. Answered by WorkerPlace.
struct JoinWorker {
  std::uint64_t request = 0;
  std::string name;               ///< For people: host and process.
  std::uint64_t incarnation = 0;  ///< Of the worker: the same again is a repeat.
  std::uint32_t rank = kAnyRank;  ///< The rank it wants.
};

struct WorkerPlace {
  std::uint64_t request = 0;
  absl::Status status;
  SessionId session{};
  std::uint32_t rank = 0;
  std::uint32_t lease_ms = 0;  ///< A worker that is silent for so long has left.
};

/// A leadership of a lane.
struct LaneEpoch {
  NodeId lane{};
  std::uint64_t epoch = 0;

  bool operator==(const LaneEpoch&) const = default;
};

/// A replica that its leader waits for and that gets no further, though it may be heard elsewhere.
struct StuckReplica {
  LaneEpoch lane;
  std::uint64_t incarnation = 0;  ///< Of its server.

  bool operator==(const StuckReplica&) const = default;
};

/// What is asked of a lane, in rows.
struct LaneLoad {
  NodeId lane{};
  std::uint64_t rows = 0;  ///< That it has.
  std::uint64_t rows_pulled = 0;
  std::uint64_t rows_pushed = 0;

  bool operator==(const LaneLoad&) const = default;
};

/// "I live." Answered by MapReply, with a map if the sender's is old.
struct Heartbeat {
  std::uint64_t request = 0;
  SessionId session{};            ///< Of a worker; 0: a server.
  std::string server;             ///< A server's name, or empty.
  std::uint64_t incarnation = 0;  ///< As it joined.
  std::uint64_t map_version = 0;
  std::uint64_t rows = 0;   ///< Of a server: rows of all tables,
  std::uint64_t bytes = 0;  ///< and its resident memory.
  /// Of a server: the lanes whose leader waits for what it joins with to have what it acknowledges.
  std::vector<LaneEpoch> caught_up{};
  /// Of a server: of lanes that it leads, replicas to go on without.
  std::vector<StuckReplica> stuck{};
  /// Of a server: rows that it was asked for, and given gradients of, since it began.
  std::uint64_t rows_pulled = 0;
  std::uint64_t rows_pushed = 0;
  /// Of a server that reads: so long ago it had all that the lanes' leaders had, at the least.
  std::uint64_t behind_ms = 0;
  std::vector<LaneLoad> loads{};  ///< Of a server: of the lanes that it leads, since it began.
  /// Of a server, now and then: what those lanes have of each table, by TableId. Without the hash;
  /// rows_by_count by kCountClasses, and as they were found a while ago. Empty: as last told.
  std::vector<TableStatistics> tables{};
};

/// The worker leaves for good. Answered once every lane knows.
struct LeaveWorker {
  std::uint64_t request = 0;
  SessionId session{};
};

struct MapRequest {
  std::uint64_t request = 0;
};

struct MapReply {
  std::uint64_t request = 0;
  absl::Status status;
  std::string waits_for;                  ///< Why there is no map yet, for people.
  std::shared_ptr<const ClusterMap> map;  ///< Null: not yet, nothing newer, or an error.
};

/// Makes a table on every lane. Answered by TableReply.
struct DefineTable {
  std::uint64_t request = 0;
  TableSpec spec;
};

struct TableReply {
  std::uint64_t request = 0;
  absl::Status status;
  TableId table{};
};

/// The asker waits, at a place that all `count` of them come to. Answered by an Acknowledgement
/// once they have; a place is used once.
struct EnterBarrier {
  std::uint64_t request = 0;
  std::string name;
  std::uint64_t participant = 0;  ///< Who asks: the same again is a repeat.
  std::uint32_t count = 1;
};

enum class Placing : std::uint8_t {
  kMove,       ///< `lane` is to be led by `server`.
  kDrain,      ///< `server` is to have nothing.
  kRebalance,  ///< Servers are to have, and to lead, as many.
  kCancel,     ///< No move that has not begun.
  kAway,       ///< `server` ends now and may come back: nobody is to wait for it until it does.
};

/// Where replicas of lanes are to be. Answered by an Acknowledgement once that is written down;
/// MembersReply tells how many moves are left.
struct PlaceLanes {
  std::uint64_t request = 0;
  Placing placing = Placing::kMove;
  NodeId lane{};
  std::string server;
};

/// All rows are to be those of a checkpoint, and what came since is to be as if it had never been.
/// Answered by an Acknowledgement once that is written down; lanes follow as they hear of it.
struct RollBack {
  std::uint64_t request = 0;
  std::string checkpoint;  ///< In the store that servers have.
  std::uint64_t step = 0;  ///< Of the checkpoint: where workers begin.
  std::uint64_t id = 0;    ///< Drawn by who asks: the same again is a repeat.
};

/// "Who are you?" Of the coordinator and of every place of a server, whatever it leads. Answered by
/// AboutReply.
struct AboutRequest {
  std::uint64_t request = 0;
};

struct AboutReply {
  std::uint64_t request = 0;
  absl::Status status;
  std::string name;           ///< Of the server; "coordinator".
  std::string version;        ///< Of its program.
  std::uint64_t time_us = 0;  ///< By its clock, when it answered: microseconds since 1970.
};

struct MembersRequest {
  std::uint64_t request = 0;
};

enum class MemberKind : std::uint8_t { kServer, kWorker };

/// One server or worker as the coordinator knows it.
struct Member {
  MemberKind kind = MemberKind::kServer;
  std::string name;
  std::uint32_t number = 0;     ///< A server's place, a worker's rank.
  std::uint64_t silent_ms = 0;  ///< Since it was last heard.
  bool is_late = false;         ///< Silent for longer than its lease.
  std::uint32_t lanes = 0;
  std::uint32_t partitions = 0;
  std::uint64_t rows = 0;
  std::uint64_t bytes = 0;
  std::uint32_t follows = 0;  ///< Lanes that it could lead at once.
  std::string problem;        ///< What is wrong with it, for people; mostly empty.
  /// Of a server, within its last seconds.
  std::uint64_t rows_pulled_per_second = 0;
  std::uint64_t rows_pushed_per_second = 0;
  std::uint32_t reads = 0;      ///< Lanes of which it answers pulls, as a reader,
  std::uint64_t behind_ms = 0;  ///< and how old that is at the most; see Heartbeat.
};

struct MembersReply {
  std::uint64_t request = 0;
  absl::Status status;
  std::string waits_for;
  std::uint64_t map_version = 0;
  std::uint64_t epoch = 0;
  std::uint32_t moves_left = 0;  ///< Of replicas, to other servers.
  std::vector<Member> members;
  std::vector<LaneLoad> lanes{};          ///< Of all lanes that were heard of: rows a second.
  std::vector<TableStatistics> tables{};  ///< By TableId, of all servers; as Heartbeat has them.
};

}  // namespace longtail
