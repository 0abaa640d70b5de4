// What `longtail status` says of a cluster.
#pragma once

#include <string>

#include "cluster/cluster_status.h"

namespace longtail::cli {

/// For people: the cluster in a few lines, then its servers, workers and tables.
std::string StatusText(const ClusterStatus& status);

/// The same for programs: one JSON object and the end of its line.
std::string StatusJson(const ClusterStatus& status);

}  // namespace longtail::cli
