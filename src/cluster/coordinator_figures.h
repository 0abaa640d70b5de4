// What a coordinator knows of its cluster, as figures for Prometheus.
#pragma once

#include "cluster/cluster_status.h"
#include "io/metric_page.h"

namespace longtail {

void AddCoordinatorFigures(const ClusterStatus& status, MetricPage& page);

}  // namespace longtail
