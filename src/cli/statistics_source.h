// The statistics that a cluster at work has written to a file.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "longtail/statistics.h"
#include "protocol/statistics_json.h"

namespace longtail::cli {

/// Whether an address is a file, and not a checkpoint's manifest. "file:" may stand in front.
bool IsStatisticsFile(const std::string& address);

/// A file that was read, and the tables that were asked for.
struct StatisticsSource {
  std::string address;  ///< As the user wrote it.
  StatisticsFile file;
  std::vector<std::size_t> selected;  ///< Indices in file.tables, ascending.

  const TableReport& table(std::size_t place) const { return file.tables[selected[place]]; }
};

/// Selects the table of that name, or all if it is empty.
///
/// Errors: NotFound, listing the tables there are; Unavailable (the file cannot be read); as
///         DecodeStatisticsFile.
absl::StatusOr<StatisticsSource> OpenStatistics(const std::string& address,
                                                const std::string& table);

}  // namespace longtail::cli
