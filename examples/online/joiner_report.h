// What a joiner has done, for people and pages: the same whether it is a process of its own or in
// the trainer's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "examples/online/log_joiner.h"
#include "longtail/pages.h"

namespace longtail::examples {

struct JoinerReport {
  LogJoinerCounts counts{};
  std::uint64_t unreadable = 0;
  std::size_t waiting = 0;  ///< Impressions.
  std::int64_t now_ms = 0;  ///< How late it is in the logs.
};

void AddJoinerFigures(const JoinerReport& report, Figures& figures);

/// A line for each count.
std::string JoinerText(const JoinerReport& report);

}  // namespace longtail::examples
