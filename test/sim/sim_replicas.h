// Servers with replicas of lanes, and the coordinator that gives out who leads: the real cores of
// both, which talk over the simulation's network. Servers crash and come back with nothing, or with
// what their logs have, several at a time; the coordinator comes back with what it wrote, its store
// fails now and then; operators move lanes.
//
//   nodes    0 the coordinator; 1 … the lanes, wherever they are led; 1000 + 16 s + i the place i
//            of server s; 2000 + s what speaks for server s; 3000 what brings maps to workers
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "base/random.h"
#include "checkpoint/kept_logs.h"
#include "protocol/cluster_map.h"
#include "protocol/messages.h"
#include "protocol/step.h"
#include "server/coordinator_core.h"
#include "server/replica_core.h"
#include "server/server_log.h"
#include "sim/memory_store.h"
#include "sim/sim_log.h"

namespace longtail::sim {

class SimReplicas {
 public:
  /// Draws the servers of a cluster: fills in lanes, partitions' lanes and servers of `map`, which
  /// has its modes, tables and the number of its partitions.
  SimReplicas(ClusterMap& map, std::uint64_t seed, std::size_t key_list_bytes_max, bool keep_logs,
              bool has_reader);

  /// Whether a message to that node comes here.
  static bool IsHere(NodeId node);

  /// To where a message is on its way, from whom, as its sender's map has it. Those to lanes from
  /// without go by the workers' map.
  void Address(Envelope& envelope) const;

  void Step(const Envelope& event, absl::Time now, Effects& effects);
  void Tick(absl::Time now, Effects& effects);
  absl::Time next() const;

  /// One server loses all it has and comes back at `up_at`, unless that would lose what no other
  /// has; with logs it loses all but those, and now and then those, too. Whether it did.
  bool CrashServer(std::uint64_t victim, absl::Time now, absl::Time up_at);

  /// With logs: all of them lose all but those.
  void CrashAll(absl::Time up_at);
  void CrashCoordinator();

  /// An operator asks for lanes to be elsewhere.
  void PlaceSome(Effects& effects);
  void Heal() { store_fails_ = false; }

  /// An operator has all rows be those of a checkpoint, of that step, until workers have heard of
  /// it (epoch).
  void RollBack(std::vector<RowBlock> rows, std::uint64_t step);
  std::uint64_t epoch() const { return workers_map_->epoch; }

  /// Sessions of workers that come after a rollback have at least this number.
  static constexpr std::uint64_t kSessionBehind = 1000;

  /// Whether workers learned of new leaders since the last call: what they sent is to go again.
  bool TakeNews() { return std::exchange(has_news_, false); }

  /// A server that came back with nothing was refused, since it was made a leader after it was lost
  /// and before that was noticed: the one that had all was silent for a lease meanwhile. Two
  /// failures at once, behind which its lanes are to be restored.
  bool is_lost() const { return is_lost_; }

  /// All are up, in agreement, and followers have all that leaders have.
  bool IsSettled() const;

  /// Who has which role, and how much, for messages.
  std::string Describe() const;

  const server::PartitionCore& Leader(PartitionId partition) const;
  /// How replicas differ that should not, or what their logs have from what they have; empty: they
  /// do not.
  std::string CompareReplicas();

  std::uint64_t leaderships() const;  ///< Begun, beyond the first of each lane.
  std::uint64_t images() const { return images_; }
  std::uint64_t loads() const { return loads_; }  ///< Of a checkpoint by a lane.
  std::uint64_t torn_writes() const;
  std::uint64_t bases() const;
  std::uint64_t remade() const { return remade_; }  ///< Moments, of one log each.

  /// What a log could not do, or who does not come back; empty: nothing is wrong.
  const std::string& wrong() const { return wrong_; }

 private:
  // What a leader had when its log had ended there.
  struct Moment {
    NodeId lane{};
    std::uint64_t era = 0;  // The cluster's epoch,
    std::uint64_t epoch = 0;
    std::uint64_t end = 0;
    std::uint64_t time_us = 0;
    std::uint64_t hash = 0;
  };
  struct Server {
    std::uint64_t incarnation = 1;
    std::shared_ptr<const ClusterMap> map;
    std::vector<std::unique_ptr<server::ReplicaCore>> places;  // None: it is down.
    std::unique_ptr<MemoryStore> disk;
    std::vector<std::unique_ptr<SimLog>> logs;  // Of the places.
    struct Load {
      std::uint64_t ticket = 0;
      absl::Time at = absl::InfiniteFuture();
    };
    std::vector<Load> loads;  // Of the places: when the rows that one wants are there.
    server::ServerLog found;  // Until its lanes have their places.
    absl::Time up_at = absl::InfiniteFuture();
    std::vector<NodeId> led;    // When it crashed.
    bool has_no_place = false;  // The coordinator says so: it joins again.
    absl::Time beat_at;
    absl::Time heard_at;                           // By the coordinator.
    absl::Time gave_up_at = absl::InfinitePast();  // Said of a replica that it is stuck.
  };

  NodeId PlaceNode(std::size_t server, std::size_t place) const;
  NodeId LeaderNode(const ClusterMap& map, NodeId lane) const;
  void Start(std::size_t s);
  void StartPlaces(std::size_t s);
  bool KeepsLog(std::size_t s) const;
  void Crash(std::size_t s, absl::Time up_at);
  std::vector<NodeId> LedBy(std::size_t s) const;
  bool MayLose(std::size_t s, absl::Time now) const;
  bool AreSynced() const;
  void OnMap(std::size_t s, const std::shared_ptr<const ClusterMap>& map, absl::Time now,
             Effects& effects);
  void Beat(std::size_t s, absl::Time now, Effects& effects);
  void AfterPlace(std::size_t s, std::size_t place, std::size_t first_send, absl::Time now,
                  Effects& effects);
  std::string CompareLogs();
  void LoadSome(std::size_t s, absl::Time now, Effects& effects);
  void NoteMoment(const server::ReplicaCore& place);
  std::string CompareMoments();
  std::string CompareEra(const checkpoint::KeptEra& era, bool is_newest);
  server::LogKeeping Keeping() const;
  void AfterCoordinator(absl::Time now, Effects& effects);
  std::vector<const server::ReplicaCore*> ReplicasOf(NodeId lane) const;

  Rng rng_;
  const std::size_t key_list_bytes_max_;
  const bool keep_logs_;
  const bool keeps_history_;  // Logs are kept for ever, and moments noted down.
  bool store_fails_;
  server::CoordinatorCore::Options options_;
  std::unique_ptr<server::CoordinatorCore> coordinator_;
  std::string state_;  // As it was last written.
  absl::Time coordinator_wake_ = absl::InfiniteFuture();
  std::vector<Server> servers_;
  std::shared_ptr<const ClusterMap> first_map_;
  std::shared_ptr<const ClusterMap> workers_map_;
  absl::Time ask_at_ = absl::UnixEpoch();
  bool has_news_ = false;
  std::uint64_t images_ = 0;
  std::uint64_t loads_ = 0;
  std::optional<std::vector<RowBlock>> checkpoint_;  // That is to be rolled back to.
  std::uint64_t checkpoint_step_ = 0;
  bool is_lost_ = false;
  std::uint64_t steps_ = 0;
  std::vector<Moment> moments_;
  std::uint64_t remade_ = 0;
  std::string wrong_;
};

}  // namespace longtail::sim
