// A lane as its log left it: what a server has when it starts again.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "protocol/cluster_map.h"
#include "protocol/lane_base.h"
#include "protocol/node_ids.h"
#include "server/lane_core.h"
#include "server/lane_tail.h"

namespace longtail::server {

struct RecoveredLane {
  std::shared_ptr<const ClusterMap> map;  ///< The newest in the log. Null: the log has nothing.
  std::unique_ptr<LaneCore> core;         ///< Keeps a log, which goes on at core->log_end().
  std::vector<EpochStart> epochs;         ///< Of the log.
  LaneTail tail;                          ///< Its newest entries.
  std::uint64_t base_end = 0;             ///< Records that a base stands for; 0: there is none.
  std::uint64_t log_bytes = 0;            ///< Of the segments read.
  std::uint64_t torn_bytes = 0;           ///< At the end of the log: writes that never ended.
};

/// A lane that a server has from its log of that number.
struct LoggedLane {
  NodeId lane{};
  std::uint64_t log = 0;
  RecoveredLane recovered;
};

}  // namespace longtail::server
