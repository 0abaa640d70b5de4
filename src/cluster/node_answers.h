// What the nodes of a cluster say of themselves, each asked on its own.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "io/keyring.h"
#include "protocol/coordination.h"

namespace longtail {

struct NodeAnswer {
  /// Errors: DeadlineExceeded (it is silent); InvalidArgument (it does not understand us, or the
  ///         address is none); what it refused with.
  absl::StatusOr<AboutReply> about = absl::DeadlineExceededError("no answer");
  absl::Duration took;         ///< From the last question to the answer.
  absl::Duration clock_ahead;  ///< Of ours, give or take half of `took`.
};

/// Asks all of them at once (AboutRequest), and again until each has answered or the time is over;
/// then those that answered once more, over connections that stand, so that `took` is short.
/// Answers are in the order of `addresses`.
///
/// keys: to speak to them with; null: none.
///
/// Errors: what keeps a socket away.
absl::StatusOr<std::vector<NodeAnswer>> AskNodes(std::span<const std::string> addresses,
                                                 absl::Duration timeout,
                                                 std::shared_ptr<Keyring> keys = nullptr);

}  // namespace longtail
