// A server's place for a replica of a lane: a socket, a thread, and the replica that the newest map
// has there.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/log.h"
#include "io/blob_store.h"
#include "io/core_loop.h"
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
    Log log{};
  };

  ReplicaSeat(Options options, std::unique_ptr<ZmqEndpoint> endpoint);

  /// Leads or follows as the map says.
  void Follow(const std::shared_ptr<const ClusterMap>& map);

  /// Says what a server is to say of it; never waits for its thread.
  void AddTo(Heartbeat& heartbeat);

 private:
  void LogChange(const ClusterMap& map);

  const Options options_;
  const std::unique_ptr<ZmqEndpoint> endpoint_;
  server::ReplicaCore core_;
  std::uint64_t images_ = 0;  // As they were logged.
  std::uint64_t problems_ = 0;
  ReplicaRole role_ = ReplicaRole::kNone;
  CoreLoop loop_;  // Last: its thread uses the others.
};

}  // namespace longtail
