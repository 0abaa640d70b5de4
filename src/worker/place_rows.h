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

/// As above, of rows that came packed.
///
/// Errors: as above; InvalidArgument if a row's scale or a count is none, or rows are in another
///         format than was asked for. Some rows may have been written then.
absl::Status PlaceRows(const CompactPullReply& reply, const PullRequest& pull);

}  // namespace longtail
