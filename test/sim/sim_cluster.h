// A whole cluster in one thread and in virtual time, drawn from a seed: lanes, workers and a
// network between them that fails for a while and then heals.
#pragma once

#include <cstdint>
#include <string>

namespace longtail::sim {

/// How messages travel.
enum class Carriage {
  kByPointer,  ///< As within a process: pulls are written in place.
  kByBytes,    ///< Through the wire codec: pulls are answered with rows.
};

struct SimResult {
  std::string wrong;            ///< What promise was broken; empty: none.
  std::uint64_t trace = 0;      ///< A hash of every delivery: its time, its ends, its bytes.
  std::uint64_t steps = 0;      ///< Deliveries and ticks.
  std::uint64_t resent = 0;     ///< Requests that workers sent again.
  std::uint64_t timed_out = 0;  ///< Calls that ended at their deadline.
};

/// Draws a cluster from the seed: the step mode, 1 to 3 workers, 1 to 4 lanes, the number of
/// partitions, the tables' widths and a subset of the faults. Runs it until all workers have left,
/// and compares every row with the sum of all pushes.
SimResult Simulate(std::uint64_t seed, Carriage carriage);

}  // namespace longtail::sim
