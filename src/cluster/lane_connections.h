// The endpoints of a process that speak to the lanes, wherever the newest map says these are.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "base/mutex.h"
#include "io/transport.h"
#include "io/zmq_network.h"
#include "protocol/cluster_map.h"

namespace longtail {

/// Thread: any.
class LaneConnections {
 public:
  /// `network` must outlive it and its endpoints. `host` as HostId gives it.
  LaneConnections(ZmqNetwork& network, std::string host);

  /// A new endpoint that is connected to every lane of `map`, and of each newer one. Once a lane
  /// of a newer map is led by another process than before, the endpoint also receives that map, as
  /// a MapReply from the coordinator: what was asked of the old process is to be asked again.
  ///
  /// `reader`: it only pulls, see FindReader: the same holds for those who answer it then.
  absl::StatusOr<std::unique_ptr<Transport>> Join(
      const ClusterMap& map, std::optional<std::uint32_t> reader = std::nullopt);

  /// Connects all endpoints to the lanes of a newer map.
  ///
  /// Errors: as ZmqEndpoint::Connect; the other lanes are connected.
  absl::Status Follow(const std::shared_ptr<const ClusterMap>& map);

 private:
  class Endpoint;
  struct Members {
    Mutex mutex;
    std::vector<Endpoint*> endpoints ABSL_GUARDED_BY(mutex);
  };

  ZmqNetwork& network_;
  const std::string host_;
  const std::shared_ptr<Members> members_;
};

}  // namespace longtail
