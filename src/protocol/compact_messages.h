// Pulls and pushes in fewer bytes: values in a narrow format, keys by the name of a list that the
// lane has, counts as short numbers.
//
// A worker that asks for it sends these in place of PullRequest and PushRequest
// (worker/compact_builder.h); a lane turns them into those (protocol/expand.h). Here they are as
// they travel, so that what decodes encodes to the same bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "longtail/ids.h"
#include "longtail/row_format.h"
#include "protocol/key_digest.h"
#include "protocol/node_ids.h"

namespace longtail {

/// How a section's keys travel. On the wire: append only.
enum class KeyForm : std::uint8_t {
  kPlain = 0,   ///< 8 bytes each.
  kDeltas = 1,  ///< Each as its difference from the one before, the first from 0: zigzag varints.
  kDigest = 2,  ///< All by the name of their list.
  kKeptPlain = 3,   ///< As kPlain; the lane is to keep the list, which is named from now on.
  kKeptDeltas = 4,  ///< As kDeltas, and the same.
};

constexpr bool IsPlain(KeyForm form) {
  return form == KeyForm::kPlain || form == KeyForm::kKeptPlain;
}
constexpr bool IsKept(KeyForm form) {
  return form == KeyForm::kKeptPlain || form == KeyForm::kKeptDeltas;
}

/// Keys of one table in one partition.
struct CompactSection {
  PartitionId partition{};
  TableId table{};
  std::uint32_t dim = 0;
  std::uint32_t key_count = 0;
  KeyForm form = KeyForm::kPlain;
  std::uint64_t sequence = 0;  ///< Of a push. A pull has none.
};

/// The keys of all sections, by form, each in the order of the sections that have it.
struct CompactKeys {
  std::span<const Key> plain;
  std::span<const KeyDigest> digests;
  std::span<const std::byte> deltas;
};

struct CompactPull {
  std::uint64_t request = 0;  ///< Answered by CompactPullReply, PullReply or KeysWanted.
  std::uint64_t epoch = 0;
  std::uint64_t step = 0;
  bool wants_counts = false;
  WireValues values = WireValues::kFloat32;  ///< Of the answer.
  std::vector<CompactSection> sections;
  CompactKeys keys;
  std::shared_ptr<const void> owner;
};

/// `rows` holds all sections' rows in the order of the request, packed (protocol/value_codec.h),
/// `counts` as many varints as there are keys, or nothing.
struct CompactPullReply {
  std::uint64_t request = 0;
  std::uint64_t step = 0;   ///< As PullReply's,
  std::uint64_t epoch = 0;  ///< and this, too.
  WireValues values = WireValues::kFloat32;
  std::span<const std::byte> rows;
  std::span<const std::byte> counts;
  std::shared_ptr<const void> owner;
};

/// `counts` are varints in the order of the keys; none at all if each is 0. `gradients` are packed.
struct CompactPush {
  SessionId session{};
  std::uint64_t request = 0;  ///< Answered by Acknowledgement or KeysWanted.
  std::uint64_t epoch = 0;
  std::uint64_t step = 0;
  float learning_rate_scale = 1;
  WireValues values = WireValues::kFloat32;
  std::vector<CompactSection> sections;
  CompactKeys keys;
  std::span<const std::byte> counts;
  std::span<const std::byte> gradients;
  std::shared_ptr<const void> owner;
};

/// The lane does not hold a list that the request names: it did nothing, and wants the request with
/// all of its keys.
struct KeysWanted {
  std::uint64_t request = 0;
};

}  // namespace longtail
