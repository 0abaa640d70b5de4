// What a place of a server has and has done, for who shows it.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/time/time.h"
#include "io/loop_meter.h"
#include "io/zmq_network.h"
#include "longtail/statistics.h"
#include "protocol/cluster_map.h"
#include "protocol/node_ids.h"

namespace longtail {

struct PlaceReport {
  std::uint32_t place = 0;
  NodeId lane{};  ///< 0: of no lane.
  ReplicaRole role = ReplicaRole::kNone;
  absl::Duration behind = absl::ZeroDuration();  ///< Of a reader; infinite: never current yet.
  std::uint64_t rows_pulled = 0;
  std::uint64_t rows_pushed = 0;
  std::uint64_t images = 0;    ///< That it began to fetch.
  std::uint64_t problems = 0;  ///< That kept it from following.
  std::uint64_t step = 0;  ///< Ended by all workers, in all partitions. Asynchronous: the newest.
  std::uint64_t log_entries = 0;
  bool keeps_log = false;
  std::uint64_t log_bytes = 0;             ///< Written to its log since it began.
  std::uint64_t log_bytes_since_base = 0;  ///< That a start would read.
  /// If it leads: of each table, by TableId, without the hash; rows_by_count in the classes of
  /// protocol/count_class.h, of a moment ago.
  std::vector<TableStatistics> tables{};
  ZmqCounters messages{};
  const LoopMeter* meter = nullptr;  ///< Lives as long as the place.
};

}  // namespace longtail
