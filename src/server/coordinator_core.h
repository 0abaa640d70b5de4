// The coordinator's rules: it forms the cluster, gives out places and tables, and notices who left.
//
// Every change is written before anybody is told of it, so a coordinator that comes back goes on
// from what it said. Pulls and pushes never come here: while it is away they go on.
//
//   servers join    -> all there: the map, version 1; partitions go to lanes in equal runs
//   a table         -> written as pending, told to every lane, written into the map
//   one comes back  -> it has its rows from its log: its new addresses go into the map
//   one is silent   -> with replicas: others lead its lanes, which go on (replica_places.h)
//   a new one joins -> it has places for replicas, and gets some when an operator says so
//   a rollback      -> the next epoch of the cluster, without workers: lanes take the rows as they
//                      hear of it (replica_core.h)
//   replicas move   -> step by step, as they get there (lane_moves.h)
//   a worker joins  -> a session and a rank; silent for a lease, or leaving: every lane is told
//
// Threads: not thread-safe; see io/core_loop.h.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "longtail/step_mode.h"
#include "protocol/coordinator_state.h"
#include "protocol/messages.h"
#include "protocol/step.h"
#include "server/barriers.h"

namespace longtail::server {

/// The name of the coordinator's state in its store.
inline constexpr const char* kCoordinatorStateName = "coordinator/state";

class CoordinatorCore final : public Core {
 public:
  struct Options {
    std::uint32_t servers = 1;
    std::uint32_t partitions = 64;
    std::uint32_t workers = 1;
    StepMode step_mode = StepMode::kAsynchronous;
    std::uint32_t staleness = 0;               ///< Of bounded staleness; see ClusterOptions.
    absl::Duration lease = absl::Seconds(10);  ///< Silent for so long: a worker has left.
    std::uint64_t cluster = 0;                 ///< Drawn for a new cluster; see ClusterMap.
    std::uint32_t replicas = 1;                ///< Of each lane; see ClusterMap.
    /// With replicas: a server silent for so long leads and follows no more until it is heard.
    absl::Duration server_lease = absl::Seconds(2);
  };

  /// A coordinator of a new cluster, or one that goes on with `state`.
  ///
  /// Errors: InvalidArgument naming the option that is wrong; FailedPrecondition naming the one
  ///         that differs from the state's.
  static absl::StatusOr<std::unique_ptr<CoordinatorCore>> Make(const Options& options);
  static absl::StatusOr<std::unique_ptr<CoordinatorCore>> Resume(const Options& options,
                                                                 CoordinatorState state);

  void Step(const Envelope& event, absl::Time now, Effects& effects) override;
  void OnStored(const StoreAnswer& answer, absl::Time now, Effects& effects) override;
  void Tick(absl::Time now, Effects& effects) override;

  const CoordinatorState& state() const { return state_; }
  /// What it answers to a MembersRequest.
  MembersReply Members(absl::Time now) const;
  /// Workers that were silent for a lease, since it began.
  std::uint64_t workers_given_up() const { return given_up_; }
  bool is_formed() const { return !state_.map.lanes.empty(); }

 private:
  // Who wants an answer to what.
  struct Asker {
    NodeId source{};
    std::uint64_t request = 0;
  };
  // What somebody had done at a time, and a second of it since.
  struct Rates {
    absl::Time counted_at = absl::InfinitePast();
    std::uint64_t rows_pulled = 0;
    std::uint64_t rows_pushed = 0;
    std::uint64_t rows_pulled_per_second = 0;
    std::uint64_t rows_pushed_per_second = 0;

    void Take(std::uint64_t pulled, std::uint64_t pushed, absl::Time now);
  };
  struct Heard {
    absl::Time at = absl::InfinitePast();
    std::uint64_t rows = 0;
    std::uint64_t bytes = 0;
    std::uint64_t map_version = 0;
    std::uint64_t behind_ms = 0;
    Rates rates{};
    std::vector<TableStatistics> tables{};
  };
  struct LaneHeard {
    std::uint64_t incarnation = 0;  // Of the server that led it then.
    std::uint64_t rows = 0;
    Rates rates{};
  };
  struct WaitingTable {
    Asker asker;
    TableSpec spec;
  };
  // A session that every lane is being told to close.
  struct Leaving {
    std::vector<Asker> askers;
    absl::btree_set<NodeId> untold;
    std::uint64_t request = 0;
  };

  CoordinatorCore(const Options& options, CoordinatorState state);

  void On(NodeId source, const JoinServer& m, absl::Time now, Effects& effects);
  void On(NodeId source, const JoinWorker& m, absl::Time now, Effects& effects);
  void On(NodeId source, const Heartbeat& m, absl::Time now, Effects& effects);
  void On(NodeId source, const LeaveWorker& m, absl::Time now, Effects& effects);
  void On(NodeId source, const MapRequest& m, absl::Time now, Effects& effects);
  void On(NodeId source, const DefineTable& m, absl::Time now, Effects& effects);
  void On(NodeId source, const EnterBarrier& m, absl::Time now, Effects& effects);
  void On(NodeId source, const MembersRequest& m, absl::Time now, Effects& effects);
  void On(NodeId source, const AboutRequest& m, absl::Time now, Effects& effects);
  void On(NodeId source, const PlaceLanes& m, absl::Time now, Effects& effects);
  void On(NodeId source, const RollBack& m, absl::Time now, Effects& effects);
  void On(NodeId source, const Acknowledgement& m, absl::Time now, Effects& effects);
  template <typename T>
  void On(NodeId, const T&, absl::Time, Effects&) {}  // Not for a coordinator.

  void Start(absl::Time now);
  absl::Status Join(const JoinServer& m, absl::Time now);
  absl::Status Rejoin(const JoinServer& m, absl::Time now);
  void Form();
  std::string WaitsFor() const;
  absl::Time HeardAt(const ServerEntry& server) const;
  std::uint64_t MapVersionOf(const ServerEntry& server) const;
  absl::StatusOr<std::vector<LaneMove>> Plan(const PlaceLanes& m) const;
  void ForgetSessions(Effects& effects);
  void LookAfterLanes(const Heartbeat& m, absl::Time now, Effects& effects);
  absl::Status TakeServer(const JoinServer& m, absl::Time now);
  absl::Status CheckLog(const ServerEntry& server) const;
  absl::Status CheckReader(const ServerEntry& server) const;
  std::uint32_t PartitionsLedBy(const ServerEntry& server) const;
  absl::Status CheckPlace(const Heartbeat& m, absl::Time now);
  void TakeRates(const Heartbeat& m, absl::Time now, Heard& heard);
  std::vector<LaneLoad> LoadsOfLanes() const;
  std::vector<TableStatistics> TablesOfServers() const;
  absl::StatusOr<WorkerEntry> Place(const JoinWorker& m);
  void StartTable(Effects& effects);
  void TellLanesOfTable(absl::Time now, Effects& effects);
  void EndTable(absl::Status status, Effects& effects);
  void StartLeaving(SessionId session, absl::Time now, Effects& effects);
  void Resend(absl::Time now, Effects& effects);
  void ResendAt(absl::Time when, Effects& effects);
  void Send(NodeId target, Message message, Effects& effects);
  void SendMap(Asker to, absl::Status status, Effects& effects);
  void SendNews(absl::Time now, Effects& effects);
  void Save(Effects& effects);
  static std::string ServerNames(const std::vector<ServerEntry>& servers);

  const Options options_;
  CoordinatorState state_;
  CoordinatorState stored_;                // As it was last written: what a failed write leaves.
  std::shared_ptr<const ClusterMap> map_;  // Null until formed: what is sent around.

  // Nothing below is kept when a coordinator ends.
  bool started_ = false;
  bool has_formed_ = false;           // The cluster, itself: it has heard all that servers said.
  std::vector<ServerEntry> joining_;  // Before the cluster is formed.
  absl::btree_map<std::string, Heard> servers_heard_;
  absl::btree_map<NodeId, LaneHeard> lanes_heard_;
  absl::btree_map<SessionId, absl::Time> workers_heard_;
  absl::btree_map<NodeId, absl::Time> listeners_;  // Who sends heartbeats, and last did.
  std::deque<WaitingTable> tables_;  // The first is the pending one, once it is written.
  std::uint64_t table_request_ = 0;
  absl::btree_set<NodeId> table_untold_;
  absl::btree_map<SessionId, Leaving> leaving_;
  std::uint64_t given_up_ = 0;
  Barriers barriers_;
  std::uint64_t next_request_ = 1;
  absl::Time resend_at_ = absl::InfiniteFuture();

  std::uint64_t next_ticket_ = 1;
  std::vector<Envelope> when_stored_;  // Answers that rest on the write under way.
};

}  // namespace longtail::server
