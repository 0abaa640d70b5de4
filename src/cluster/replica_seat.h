// A server's place for a replica of a lane: a socket, a thread, and the replica that the newest map
// has there.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/log.h"
#include "io/blob_store.h"
#include "io/core_loop.h"
#include "io/transport.h"
#include "io/zmq_network.h"
#include "protocol/cluster_map.h"
#include "protocol/coordination.h"
#include "server/replica_core.h"

namespace longtail {

/// Thread: any, one at a time.
class ReplicaSeat {
 public:
  struct Options {
    server::ReplicaCore::Options replica;
    std::string host;            ///< As HostId gives it.
    std::string address;         ///< Where others reach it, for the log.
    BlobStore* store = nullptr;  ///< For snapshots; null: none.
    /// Called by its thread when AddTo has something to say that others wait for. Must not block.
    std::function<void()> on_news{};
    Log log{};
  };

  ReplicaSeat(Options options, std::unique_ptr<ZmqEndpoint> endpoint);
  ~ReplicaSeat();

  /// Leads or follows as the map says, as soon as its thread comes to it.
  void Follow(const std::shared_ptr<const ClusterMap>& map);

  /// Says what a server is to say of it; waits for its thread only to log what is wrong.
  void AddTo(Heartbeat& heartbeat);

 private:
  class Endpoint;  // That of ZeroMQ, which brings maps, too.

  void TellNews();

  const Options options_;
  server::ReplicaCore core_;
  LaneEpoch told_;  // Its thread's own: what on_news was last called for.
  const std::unique_ptr<Endpoint> endpoint_;
  // As they were logged.
  ReplicaRole role_ = ReplicaRole::kNone;
  std::uint64_t images_ = 0;
  std::uint64_t problems_ = 0;
  CoreLoop loop_;  // Last: its thread uses the others.
};

}  // namespace longtail
