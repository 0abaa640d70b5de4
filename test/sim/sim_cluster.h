// A whole cluster in one thread and in virtual time, drawn from a seed: lanes, workers and a
// network between them that fails for a while and then heals; workers that die and are closed by
// somebody else, and others that take their places; lanes with logs that crash and come back.
#pragma once

#include <cstdint>
#include <string>

#include "longtail/statistics.h"
#include "longtail/step_mode.h"

namespace longtail::sim {

/// How messages travel.
enum class Carriage {
  kByPointer,  ///< As within a process: pulls are written in place.
  kByBytes,    ///< Through the wire codec: pulls are answered with rows.
};

/// What lanes are.
enum class Lanes {
  kAlone,       ///< Each by itself, with a log or without.
  kReplicated,  ///< Replicas on servers that a coordinator looks after,
  kLogged,      ///< and that keep logs.
};

struct SimResult {
  std::string wrong;              ///< What promise was broken; empty: none.
  std::uint64_t trace = 0;        ///< A hash of every delivery: its time, its ends, its bytes.
  std::uint64_t steps = 0;        ///< Deliveries and ticks.
  std::uint64_t resent = 0;       ///< Requests that workers sent again.
  std::uint64_t timed_out = 0;    ///< Calls that ended at their deadline.
  std::uint64_t died = 0;         ///< Workers that died,
  std::uint64_t replaced = 0;     ///< and those of them whose rank another one took.
  std::uint64_t crashed = 0;      ///< Lanes that lost all but their logs,
  std::uint64_t torn_writes = 0;  ///< and those of them whose log ended within a write.
  std::uint64_t bases = 0;        ///< Of logs.
  std::uint64_t remade = 0;       ///< Moments that logs which were kept made again.
  std::uint64_t leaderships = 0;  ///< Of replicated lanes, that followed others,
  std::uint64_t placed = 0;       ///< Times that an operator wanted them elsewhere,
  std::uint64_t images = 0;       ///< and images that replicas got.
  std::uint64_t rolled_back = 0;  ///< Times that it went back to a checkpoint,
  std::uint64_t loads = 0;        ///< which so many leaders took.
  bool is_lost = false;           ///< It ended early: see SimReplicas::is_lost.
  StepMode step_mode = StepMode::kAsynchronous;
  WorkerStatistics workers;  ///< Of all of them together.
};

/// Draws a cluster from the seed: the step mode, 1 to 3 workers, 1 to 4 lanes, the number of
/// partitions, the tables' widths, whether lanes keep logs, and a subset of the faults; as bytes,
/// for half of the workers, how values travel and whether lists of keys are named, and how few of
/// those lanes keep. Runs it until all workers have left or died. Looks at every pull
/// (Ledger::CheckPull) and in the end at every row. With replicas servers crash instead, and in the
/// end each replica has what its leader has, and its log, if it keeps one, the same. A sixth of
/// those goes back to a checkpoint on the way: other workers go on from there, and what the rows
/// are is what these have pushed on top of it.
SimResult Simulate(std::uint64_t seed, Carriage carriage, Lanes lanes = Lanes::kAlone);

}  // namespace longtail::sim
