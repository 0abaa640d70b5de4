// A table's statistics among the fields of a message.
#pragma once

#include <cstdint>

#include "longtail/statistics.h"
#include "protocol/field_reader.h"
#include "protocol/frame_writer.h"

namespace longtail::wire {

/// The fewest bytes that statistics can have: no hot keys, no counts.
std::size_t StatisticsBytesMin();

void PutStatistics(const TableStatistics& statistics, FrameWriter& writer);

/// `counts_max`: of rows_by_count, at most.
void TakeStatistics(FieldReader& fields, std::uint64_t counts_max, TableStatistics& statistics);

}  // namespace longtail::wire
