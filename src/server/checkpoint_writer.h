// Saves a cluster: asks the lanes for their snapshots, then writes the trainer's state and, last,
// the manifest.
#pragma once

#include <span>
#include <string>

#include "absl/status/statusor.h"
#include "io/blob_store.h"
#include "io/control_client.h"
#include "longtail/checkpoint.h"
#include "protocol/cluster_map.h"

namespace longtail::server {

struct CheckpointRequest {
  std::string store_address;  ///< For CheckpointInfo.
  std::string name;
  std::string created_at;
  absl::Duration timeout;
};

/// Errors: see Cluster::Checkpoint.
absl::StatusOr<CheckpointInfo> WriteCheckpoint(const CheckpointRequest& request,
                                               const ClusterMap& map, const TrainerState& trainer,
                                               ControlClient& control, BlobStore& store);

}  // namespace longtail::server
