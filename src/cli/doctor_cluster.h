// What `longtail doctor` finds of a cluster, from where it runs.
#pragma once

#include <string>

#include "absl/time/time.h"
#include "cli/doctor_findings.h"
#include "cluster/cluster_status.h"

namespace longtail::cli {

/// Resolves the coordinator at `place` (an address, or a file that holds it), connects to it, asks
/// it for the cluster, and asks each server of the map at the first address of each of its places:
/// name, connection, answer, version, clock. Then CheckHealth. Each wait is of `timeout` at most,
/// but for the system's name resolution.
void CheckCluster(const std::string& place, absl::Duration timeout, Findings& findings);

/// What the coordinator says is not as it should be: whom it waits for, who is late, lanes that
/// nobody leads, replicas that are missing, readers that are behind, drained servers with lanes.
void CheckHealth(const ClusterStatus& status, Findings& findings);

}  // namespace longtail::cli
