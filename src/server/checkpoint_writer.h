// Saves a cluster: asks the lanes for their snapshots, then writes the trainer's state and, last,
// the manifest. That of an increment names objects of earlier checkpoints, which gc may be about to
// remove: checkpoint/retention.h says how the two do without a lock.
#pragma once

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "io/blob_store.h"
#include "io/control_client.h"
#include "longtail/checkpoint.h"
#include "protocol/cluster_map.h"

namespace longtail::server {

/// A checkpoint on which an increment can build.
struct CheckpointBase {
  std::string name;
  std::string created_at;
};

struct CheckpointRequest {
  std::string store_address;  ///< For CheckpointInfo.
  std::string name;
  std::string created_at;
  absl::Duration timeout;
  CheckpointOptions options{};
  std::optional<CheckpointBase> base{};  ///< The newest of this cluster.
};

/// Makes room for a checkpoint of that name: removes blobs without a manifest, which a crash left
/// of an earlier attempt.
///
/// Errors: InvalidArgument (name); AlreadyExists, also if it was removed but for blobs that other
///         checkpoints need; what the store says.
absl::Status MakeRoom(const std::string& name, BlobStore& store);

/// Errors: see Cluster::Checkpoint.
absl::StatusOr<CheckpointInfo> WriteCheckpoint(const CheckpointRequest& request,
                                               const ClusterMap& map, const TrainerState& trainer,
                                               ControlClient& control, BlobStore& store);

}  // namespace longtail::server
