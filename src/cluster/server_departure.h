// How a server leaves a cluster that goes on without it: for good, or until it comes back.
#pragma once

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace longtail {

enum class Departure {
  /// For good: all that it has goes to others, and these share it evenly.
  kDrains,
  /// It comes back, with what it had: lanes of several replicas are led by their followers first.
  /// One of which no follower has all is waited for. Lanes of one replica wait for it, as they
  /// would had it been killed.
  kHandsOver,
};

/// Returns once others have what they are to have of `server`; asks the coordinator for it until
/// `timeout` is over, whatever it refuses with.
///
/// Errors: DeadlineExceeded, with what is left and what was refused last: it may end all the same,
///         as if it were killed; Cancelled, if `is_over` says so.
absl::Status LeaveCluster(const std::string& coordinator, const std::string& server,
                          Departure departure, absl::Duration timeout,
                          const std::function<bool()>& is_over);

/// Says that `server`, which must have stopped its pulse, ends now: others do not wait for it then
/// until its lease is over.
///
/// Errors: as AskToPlace.
absl::Status SayAway(const std::string& coordinator, const std::string& server);

/// Has servers share lanes evenly (Placing::kRebalance) as soon as `server` has caught up in all
/// that it has a place in already, and once more some seconds later, by what lanes are asked for
/// then: one that is new, or comes back, gets its share.
///
/// Errors: DeadlineExceeded, with what was refused last; Cancelled, if `is_over` says so.
absl::Status TakeShare(const std::string& coordinator, const std::string& server,
                       absl::Duration timeout, const std::function<bool()>& is_over);

}  // namespace longtail
