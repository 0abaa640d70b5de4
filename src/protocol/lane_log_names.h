// The names of a server's logs in their store, and which of them are superfluous.
//
// A lane has one log, and for a while two: one that an image of the lane begins serves once a base
// stands for that image. So logs have numbers, and the newest whole one of a lane is its log.
//
//   SERVER/lane-7/3/…                          PREFIX: log 3 of the lane whose node is 7
//   PREFIX/00000000000000000000.log            a segment, by the number of its first record
//   PREFIX/00000000000000000042.base           a base: all that came before record 42
//   PREFIX/base-00000000000000000042/p…        the rows of that base
//   PREFIX/gone                                 the log is over, since when
//
// Where logs are kept for a while (io/log_keeper.h), one that is over has its mark and stays, and a
// log has several bases: the newest one and what is behind it are what a lane comes back with.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "protocol/node_ids.h"

namespace longtail {

/// The prefix of a log. (SERVER/log is the server's own: see server_log.h.)
std::string LaneLogPrefix(std::string_view server, NodeId lane, std::uint64_t log);

/// One of a server's logs.
struct LaneLogKey {
  NodeId lane{};
  std::uint64_t log = 0;
  bool is_whole = false;  ///< It has its beginning, or a base.
  bool is_gone = false;   ///< It is over: another took its place, or the lane went elsewhere.

  bool operator==(const LaneLogKey&) const = default;
};

/// The logs of a server that `names` are of, by lane and number. Names that are none of ours are
/// left out.
std::vector<LaneLogKey> FindLaneLogs(std::span<const std::string> names, std::string_view server);

/// All of a log but its mark, in an order in which it can be removed: who reads what is left of it
/// finds that it is whole and older, or not whole.
std::vector<std::string> RemovalOf(std::span<const std::string> names, std::string_view prefix);

/// The mark of a log that is over. It stays until the server starts again: a base of the log may
/// still be on its way.
std::string LaneLogGone(std::string_view prefix);

/// What a mark says: since when.
std::string LaneLogGoneText(absl::Time since);

/// The inverse; InfinitePast of any other text.
absl::Time LaneLogGoneSince(std::string_view text);

std::string LaneLogName(std::string_view prefix, std::uint64_t first);
std::string LaneBaseName(std::string_view prefix, std::uint64_t log_end);
/// Where the rows of a base are.
std::string LaneBaseRows(std::string_view prefix, std::uint64_t log_end);

/// What of a lane's log is there.
struct LaneLogFiles {
  std::optional<std::uint64_t> base;    ///< None: it is read from its beginning.
  std::vector<std::uint64_t> segments;  ///< Those that may have records the base lacks, ascending.
};

/// What is read of a log for all that it has: the newest base and what is behind it. Names that
/// are none of ours are left out.
LaneLogFiles FindLaneLog(std::span<const std::string> names, std::string_view prefix);

/// The same from an older base on, or from the beginning.
LaneLogFiles FindLaneLogFrom(std::span<const std::string> names, std::string_view prefix,
                             std::optional<std::uint64_t> base);

/// All bases of a log, ascending.
std::vector<std::uint64_t> FindLaneBases(std::span<const std::string> names,
                                         std::string_view prefix);

/// Of `names`, those that the base at `log_end` makes superfluous: older bases first, then the rows
/// of those, then segments that end before it.
std::vector<std::string> SuperfluousOf(std::span<const std::string> names, std::string_view prefix,
                                       std::uint64_t log_end);

}  // namespace longtail
