// The statistics of a cluster at work as a JSON file (docs/FORMATS.md).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "longtail/statistics.h"

namespace longtail {

inline constexpr std::string_view kStatisticsFormat = "longtail-statistics";
inline constexpr std::uint32_t kStatisticsVersion = 1;

struct StatisticsFile {
  std::string created_at;  ///< RFC 3339, UTC.
  std::string library_version;
  std::uint64_t step = 0;
  std::vector<TableReport> tables;  ///< In the order of their ids.
};

/// Gives JSON, indented. Floats of the specs must be finite.
std::string EncodeStatisticsFile(const StatisticsFile& file);

/// Reads a file; `name` is for messages. Fields it does not know are ignored.
///
/// Errors: DataLoss (no whole JSON, naming the byte); InvalidArgument (foreign; newer; too large; a
///         field missing or wrong, naming its path and what was wanted).
absl::StatusOr<StatisticsFile> DecodeStatisticsFile(std::string_view name, std::string_view bytes);

}  // namespace longtail
