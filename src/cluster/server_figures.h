// What a server's places have and have done, as figures for Prometheus and as JSON.
#pragma once

#include <string>
#include <vector>

#include "cluster/place_report.h"
#include "io/metric_page.h"
#include "protocol/cluster_map.h"

namespace longtail {

void AddServerFigures(const std::vector<PlaceReport>& places, const ClusterMap& map,
                      MetricPage& page);

/// One JSON object and the end of its line: the server's name, its places, its part of each table.
/// `state`: what it is doing, in words. Null: no map yet.
std::string ServerJson(const std::string& server, const std::string& state,
                       const std::vector<PlaceReport>& places, const ClusterMap* map);

}  // namespace longtail
