// The names of a lane's log in its store, and which of them a newer base makes superfluous.
//
//   PREFIX/00000000000000000000.log            a segment, by the number of its first record
//   PREFIX/00000000000000000042.base           a base: all that came before record 42
//   PREFIX/base-00000000000000000042/p…        the rows of that base
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace longtail {

std::string LaneLogName(std::string_view prefix, std::uint64_t first);
std::string LaneBaseName(std::string_view prefix, std::uint64_t log_end);
/// Where the rows of a base are.
std::string LaneBaseRows(std::string_view prefix, std::uint64_t log_end);

/// What of a lane's log is there.
struct LaneLogFiles {
  std::optional<std::uint64_t> base;    ///< The newest.
  std::vector<std::uint64_t> segments;  ///< Those that may have records the base lacks, ascending.
};

/// Names that are none of ours are left out.
LaneLogFiles FindLaneLog(std::span<const std::string> names, std::string_view prefix);

/// Of `names`, those that the base at `log_end` makes superfluous: older bases first, then the rows
/// of all other bases, then segments that end before it.
std::vector<std::string> SuperfluousOf(std::span<const std::string> names, std::string_view prefix,
                                       std::uint64_t log_end);

}  // namespace longtail
