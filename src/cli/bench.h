// `longtail bench`: how fast a running cluster answers one worker.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "longtail/row_format.h"

namespace longtail::cli {

struct BenchOptions {
  std::string cluster{};                 ///< The coordinator's address, or a file that holds it.
  std::string table = "longtail_bench";  ///< Made if it is not there; its rows stay.
  std::uint32_t dim = 16;
  std::uint64_t rows = 1'000'000;          ///< Different keys, each as likely.
  double zipf = 0;                         ///< 1.05: keys by Zipf's law with that exponent instead.
  std::uint64_t keys = 10'000;             ///< Of a call.
  std::uint32_t depth = 4;                 ///< Calls in flight.
  absl::Duration time = absl::Seconds(5);  ///< Of pushes, and of pulls.
  bool pushes = true;
  bool pulls = true;
  WireValues wire = WireValues::kFloat32;
  absl::Duration timeout = absl::Seconds(10);  ///< For the cluster, and of each call.
};

/// What calls of one kind came to.
struct BenchFigure {
  std::string kind;  ///< "push" or "pull".
  std::uint64_t calls = 0;
  std::uint64_t rows = 0;   ///< Each key once a call.
  std::uint64_t bytes = 0;  ///< That travelled, both ways.
  absl::Duration time;      ///< In all.
  absl::Duration median;    ///< Of a call, from its beginning to its answer.
  absl::Duration p99;
  absl::Duration longest;
};

/// Pushes, then pulls, as one more worker of the cluster.
///
/// Errors: InvalidArgument (options); FailedPrecondition (steps of the cluster's other workers
/// would
///         wait for this one, or the table has another spec); as Cluster::Remote, Connect and the
///         calls.
absl::StatusOr<std::vector<BenchFigure>> RunBench(const BenchOptions& options);

}  // namespace longtail::cli
