// Moves rows that came as bytes to where the pull wants them.
#pragma once

#include "absl/status/status.h"
#include "protocol/messages.h"

namespace longtail {

/// Copies the values (and counts) of `reply` to the targets of `pull`; nothing if its sink is
/// closed.
///
/// Errors: InvalidArgument if the reply holds more or fewer rows than the pull asked for.
absl::Status PlaceRows(const PullReply& reply, const PullRequest& pull);

}  // namespace longtail
