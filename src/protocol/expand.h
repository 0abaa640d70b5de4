// Compact requests as the plain ones that they stand for. The bytes are a peer's: nothing in them
// is believed.
#pragma once

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "protocol/compact_messages.h"
#include "protocol/digest_cache.h"
#include "protocol/messages.h"

namespace longtail {

/// The lists of keys that a lane keeps.
using KeyLists = DigestCache<std::shared_ptr<const std::vector<Key>>>;

/// Looks up the lists that the request names in `lists`, and adds those that it brings, if it says
/// so. The result keeps what it points at, and is answered compactly.
///
/// Errors: NotFound if `lists` lacks one; what the request brings is added all the same.
///         InvalidArgument naming the section and what is wrong with its keys: their deltas are cut
///         short or go on, a digest is of another number of keys.
/// Cost:   a copy of the keys that are to be kept.
absl::StatusOr<std::shared_ptr<const PullRequest>> Expand(
    const std::shared_ptr<const CompactPull>& pull, KeyLists& lists);

/// As above; and gradients are floats again.
///
/// Errors: as above; InvalidArgument also for counts that are cut short, go on or are too large,
///         and for a row of gradients whose scale is none.
/// Cost:   a copy of the gradients.
absl::StatusOr<std::shared_ptr<const PushRequest>> Expand(
    const std::shared_ptr<const CompactPush>& push, KeyLists& lists);

/// Takes as many counts as `counts` holds from the front of `packed`.
///
/// Returns: false if there are not that many, or one is no count.
[[nodiscard]] bool TakeCounts(std::span<const std::byte>& packed, std::span<std::uint32_t> counts);

}  // namespace longtail
