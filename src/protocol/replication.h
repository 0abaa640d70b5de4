// What the replicas of a lane say to one another: followers ask, the leader answers.
//
// A follower says how far it has the lane's log and asks for what follows; the leader answers once
// there is something, or after a while with nothing. What a follower has is thereby acknowledged. A
// follower whose log is no beginning of the leader's, or too far behind, is told to get an image:
// it asks for that part by part, one a partition, each cut at the log's end of its time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "protocol/node_ids.h"

namespace longtail {

/// Answered by LaneEntries.
struct FollowLane {
  std::uint64_t request = 0;
  NodeId lane{};
  std::string server;             ///< The follower's,
  std::uint64_t incarnation = 0;  ///< as the map has it,
  std::uint32_t place = 0;        ///< and which of its places.
  std::uint64_t epoch = 0;        ///< Of the leadership that it follows.
  std::uint64_t last_epoch = 0;   ///< Of the one that made its newest entry; 0: it has none.
  std::uint64_t next = 0;         ///< The entry it wants: it has, or will have, those before.
  std::uint64_t held = 0;         ///< It has applied the entries before this one.
  std::uint64_t image = 0;        ///< Not 0: it wants a piece of this image instead,
  std::uint32_t part = 0;         ///< of this part, from
  std::uint64_t offset = 0;       ///< there on.
};

struct LaneEntries {
  std::uint64_t request = 0;
  absl::Status status;
  std::uint64_t epoch = 0;
  bool is_counted = false;    ///< The leader acknowledges nothing that this follower does not hold.
  std::uint64_t log_end = 0;  ///< Of the leader, now; not of an image.
  std::uint64_t first = 0;    ///< Number of the first entry.
  std::uint64_t image = 0;    ///< Not 0: `frames` is a piece of this image,
  std::uint32_t part = 0;     ///< of this part of
  std::uint32_t parts = 0;    ///< so many, from
  std::uint64_t offset = 0;   ///< there on, of
  std::uint64_t bytes = 0;    ///< so many in this part.
  /// Entries, each the frame of a message, one after the other; or one piece of an image.
  std::vector<std::span<const std::byte>> frames;
  std::vector<std::uint64_t> times{};  ///< Of each entry: see LogRecordHeader. Of an image: none.
  std::vector<std::shared_ptr<const void>> owners{};  ///< Of what the spans point at.
};

}  // namespace longtail
