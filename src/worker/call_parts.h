// Cuts a call into requests to lanes, between partitions.
//
// A call is cut into kRequestsPerLaneMax requests a lane at most, so that large ones leave room for
// others among those a worker may have under way.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "protocol/cluster_map.h"
#include "worker/worker_access.h"

namespace longtail {

inline constexpr std::size_t kRequestsPerLaneMax = 64;

/// What one request takes of a call: the lane's partitions from `begin` up to `end`.
struct CallPart {
  std::uint32_t lane = 0;
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
  std::size_t floats = 0;  ///< Of their rows.
};

/// Keys of a count table in a call. `ends` [partitions] says where the packed rows of each
/// partition's keys end; of a pull, whose rows are not known, it is empty.
struct CountItem {
  const KeyBatch* keys = nullptr;
  std::span<const std::size_t> ends{};

  std::size_t begin(std::size_t partition) const {
    return partition == 0 ? 0 : ends[partition - 1];
  }
};

/// Floats of an item's rows in a partition.
template <typename Item>
std::size_t FloatsOf(const Item& item, std::size_t partition) {
  const KeyBatch::Plan& plan = *WorkerAccess::PlanOf(*item.keys);
  return std::size_t{plan.begins[partition + 1] - plan.begins[partition]} * plan.dim;
}

/// The same of counts, about: as many floats as there are words of packed rows.
inline std::size_t FloatsOf(const CountItem& item, std::size_t partition) {
  constexpr std::size_t kPulledFloats = 16;
  const KeyBatch::Plan& plan = *WorkerAccess::PlanOf(*item.keys);
  const std::size_t keys = plan.begins[partition + 1] - plan.begins[partition];
  if (item.ends.empty()) return keys * kPulledFloats;
  return keys + (item.ends[partition] - item.begin(partition)) / sizeof(float);
}

/// Puts the requests that a call is cut into into `parts`: each of at most `floats_max` floats of
/// rows, unless a partition alone has more, or there would be too many.
template <typename Item>
void CutCall(const ClusterMap& map, std::span<const Item> items, std::size_t floats_max,
             std::vector<CallPart>& parts) {
  const auto floats_of = [&](std::uint32_t partition) {
    std::size_t floats = 0;
    for (const Item& item : items) floats += FloatsOf(item, partition);
    return floats;
  };
  const auto partitions = static_cast<std::uint32_t>(map.lane_of.size());
  parts.clear();
  std::size_t floats = 0;
  for (std::uint32_t p = 0; p < partitions; ++p) floats += floats_of(p);
  floats_max = std::max(floats_max, floats / kRequestsPerLaneMax);
  for (std::uint32_t lane = 0; lane < map.lanes.size(); ++lane) {
    CallPart part{.lane = lane, .begin = 0, .end = 0, .floats = 0};
    for (std::uint32_t p = 0; p < partitions; ++p) {
      if (map.lane_of[p] != lane) continue;
      const std::size_t more = floats_of(p);
      if (part.floats > 0 && more > 0 && part.floats + more > floats_max) {
        part.end = p;
        parts.push_back(part);
        part = {.lane = lane, .begin = p, .end = p, .floats = 0};
      }
      part.floats += more;
    }
    part.end = partitions;
    if (part.floats > 0) parts.push_back(part);
  }
}

}  // namespace longtail
