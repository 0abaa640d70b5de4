// A cluster's status for programs.
#pragma once

#include <string>

#include "cluster/cluster_status.h"

namespace longtail {

/// One JSON object and the end of its line.
std::string StatusJson(const ClusterStatus& status);

}  // namespace longtail
