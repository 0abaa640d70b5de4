// What `longtail status` says of a cluster.
#pragma once

#include <string>

#include "cluster/cluster_status.h"
#include "cluster/status_json.h"

namespace longtail::cli {

/// For people: the cluster in a few lines, then its servers, workers and tables.
std::string StatusText(const ClusterStatus& status);

}  // namespace longtail::cli
