// A server's place for a replica of a lane: a socket, a thread, and the replica that the newest map
// has there.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/log.h"
#include "cluster/lane_loader.h"
#include "cluster/place_report.h"
#include "io/blob_store.h"
#include "io/core_loop.h"
#include "io/lane_log_writer.h"
#include "io/loop_meter.h"
#include "io/transport.h"
#include "io/zmq_network.h"
#include "protocol/cluster_map.h"
#include "protocol/coordination.h"
#include "server/lane_census.h"
#include "server/recovered_lane.h"
#include "server/replica_core.h"

namespace longtail {

/// Thread: any, one at a time; Tables and Report: any.
class ReplicaSeat {
 public:
  struct Options {
    server::ReplicaCore::Options replica;
    std::string host;            ///< As HostId gives it.
    std::string address;         ///< Where others reach it, for the log.
    BlobStore* store = nullptr;  ///< For snapshots and what is rolled back to; null: none.
    /// For logs, if replica.first_log is not 0; and how much of one brings forth a base.
    BlobStore* log_store = nullptr;
    std::uint64_t base_after_bytes = std::uint64_t{1} << 30;
    bool keeps_history = false;  ///< As LaneLogWriter has it.
    /// Called by its thread when AddTo has something to say that others wait for. Must not block.
    std::function<void()> on_news{};
    Log log{};
  };

  /// `lane`: what the server has from its log for that place; none: nothing.
  ReplicaSeat(Options options, std::unique_ptr<ZmqEndpoint> endpoint,
              std::optional<server::LoggedLane> lane);
  ~ReplicaSeat();

  /// Leads or follows as the map says, as soon as its thread comes to it.
  void Follow(const std::shared_ptr<const ClusterMap>& map);

  /// Says what a server is to say of it; waits for its thread only to log what is wrong, or to
  /// begin a base.
  void AddTo(Heartbeat& heartbeat);

  /// If it leads: as PlaceReport::tables. Waits for its thread, as Report does.
  std::vector<TableStatistics> Tables();

  PlaceReport Report();

  /// Thread: any.
  std::string name() const;
  const LoopMeter& meter() const { return meter_; }
  /// Of a reader: so old is what it answers, at the most; infinite: it answers nothing yet. Of
  /// others: nothing.
  absl::Duration behind() const;

 private:
  class Endpoint;  // That of ZeroMQ, which brings maps, too.

  // Who writes its log, if it keeps one, with what there is of that.
  std::unique_ptr<LaneLogWriter> MakeLog(std::optional<server::LoggedLane> lane);
  void TellNews();
  // Looks at some more rows; see LaneCensus.
  void TakeCensus();

  const Options options_;
  server::ReplicaCore core_;
  // Its thread's own: what on_news was last called for, and what the loader was last told.
  LaneEpoch told_;
  std::uint64_t wants_ = 0;
  const std::unique_ptr<Endpoint> endpoint_;
  const std::unique_ptr<LaneLogWriter> log_;  // Null: it keeps none.
  LaneLoader loader_;
  // As they were logged.
  ReplicaRole role_ = ReplicaRole::kNone;
  std::uint64_t images_ = 0;
  std::uint64_t problems_ = 0;
  server::LaneCensus census_;  // Under the loop's lock.
  LoopMeter meter_;
  CoreLoop loop_;  // Last: its thread uses the others.
};

}  // namespace longtail
