// `longtail inspect`: what a checkpoint holds, read where it lies, and what a cluster at work has
// written of itself (WriteStatisticsFile).
//
// Each function reads the checkpoint once, chunk by chunk, and gives all of its output: text for
// people, or one JSON object and the end of its line.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/bar_text.h"
#include "longtail/ids.h"

namespace longtail::cli {

enum class OutputForm : std::uint8_t { kText, kJson };

struct InspectRequest {
  std::string checkpoint{};  ///< See FindCheckpoint; or see IsStatisticsFile.
  std::string table{};       ///< Empty: each table.
  OutputForm form = OutputForm::kText;
  BarStyle bars = BarStyle::kAscii;
};

/// What each table is, how many rows it has, and how they were trained; of a statistics file also
/// how the table is used.
///
/// Errors, of every function: as OpenCheckpoint and ReadAll, or as OpenStatistics.
absl::StatusOr<std::string> InspectTable(const InspectRequest& request);

struct KeyQuestion {
  std::vector<Key> keys{};
  bool wants_all_values = false;  ///< In text: not only the first. JSON has all.
};

/// What each table has of each key. Reads the chunks of the keys' partitions alone.
///
/// Errors: also InvalidArgument for a statistics file, which has no rows.
absl::StatusOr<std::string> InspectKey(const InspectRequest& request, const KeyQuestion& question);

/// The `top` keys of each table that were trained most; of a statistics file those of its hot keys,
/// which were used most.
absl::StatusOr<std::string> InspectHot(const InspectRequest& request, std::size_t top);

/// How many rows of each table were trained how often, and how often the row of each rank was.
absl::StatusOr<std::string> InspectHist(const InspectRequest& request);

}  // namespace longtail::cli
