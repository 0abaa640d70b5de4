// What there is of a table, for programs.
#pragma once

#include <array>
#include <cstdint>

#include <nlohmann/json.hpp>

#include "longtail/statistics.h"
#include "longtail/table_spec.h"

namespace longtail {

/// Its name, spec, counts and bytes; rows and pulls by frequency bucket; (count, rows) as
/// `rows_by_count`; the keys used most.
nlohmann::json TableJson(const TableSpec& spec, const TableStatistics& statistics);

/// Rows in each of kFrequencyBuckets, of counts or of classes of them (protocol/count_class.h).
std::array<std::uint64_t, kFrequencyBuckets.size()> RowsByBucket(const TableStatistics& statistics);

}  // namespace longtail
