// The plain numbers of a table's statistics by name, listed once for messages and for JSON.
#pragma once

#include <cstdint>
#include <utility>

#include "longtail/statistics.h"

namespace longtail {

/// In the order in which they travel.
inline constexpr std::pair<const char*, std::uint64_t TableStatistics::*> kStatisticsFields[] = {
    {"rows", &TableStatistics::rows},
    {"weight_bytes", &TableStatistics::weight_bytes},
    {"state_bytes", &TableStatistics::state_bytes},
    {"header_bytes", &TableStatistics::header_bytes},
    {"index_bytes", &TableStatistics::index_bytes},
    {"free_bytes", &TableStatistics::free_bytes},
    {"tail_rows", &TableStatistics::tail_rows},
    {"pulls", &TableStatistics::pulls},
    {"pushes", &TableStatistics::pushes},
    {"rows_created", &TableStatistics::rows_created},
    {"non_finite_refused", &TableStatistics::non_finite_refused},
    {"full_refused", &TableStatistics::full_refused},
    {"shared_pushes", &TableStatistics::shared_pushes},
    {"rows_promoted", &TableStatistics::rows_promoted},
    {"evicted_idle", &TableStatistics::evicted_idle},
    {"evicted_score", &TableStatistics::evicted_score},
    {"evicted_norm", &TableStatistics::evicted_norm},
    {"evicted_budget", &TableStatistics::evicted_budget},
    {"distinct_keys", &TableStatistics::distinct_keys},
    {"hash", &TableStatistics::hash},
};

}  // namespace longtail
