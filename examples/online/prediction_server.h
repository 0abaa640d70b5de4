// Predictions over HTTP from rows that servers have: of one version of a model, or of two side by
// side.
//
//   GET /predict?id=ID&f=FEATURE&f=FEATURE...   JSON: the probability of a click, and by which
//                                               version; for each feature how often it was trained,
//                                               0: never, then its row is its initial value
//
// Which requests go to the candidate is a matter of their ids: the same id, the same version, as
// long as the share stays. The share is read from a file, again when it changes: with 0 there all
// requests have the stable version from the next second on.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace longtail::examples {

struct PredictionOptions {
  std::string stable;        ///< A coordinator's address, or the file with it.
  std::string candidate{};   ///< Likewise; empty: there is none.
  std::string share_file{};  ///< Has the percentage of requests that are the candidate's, 0..100.
  std::string listen = "127.0.0.1:8500";
  std::string admin{};        ///< HOST:PORT of pages with figures by version; empty: none.
  std::uint32_t factors = 8;  ///< Of the model.
  absl::Duration join_timeout = absl::Minutes(1);
  absl::Duration timeout = absl::Seconds(2);  ///< Of a request.
};

/// Thread: any.
class PredictionServer {
 public:
  /// Errors: those of Cluster::Remote; NotFound (the table); Unavailable (the port).
  static absl::StatusOr<std::unique_ptr<PredictionServer>> Start(const PredictionOptions& options);

  /// Answers what is being asked, and ends.
  virtual ~PredictionServer() = default;

  /// HOST:PORT, with the port that the system chose.
  virtual const std::string& address() const = 0;
};

/// Whether a request is the candidate's.
bool IsCandidates(const std::string& id, double percent);

}  // namespace longtail::examples
