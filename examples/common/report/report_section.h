// The sections of the report's page, in the order in which they stand. Each returns HTML, or
// nothing if the report has nothing to say there.
#pragma once

#include <string>

#include "examples/common/report/run_report.h"

namespace longtail::examples {

/// The numbers a reader looks for first, large.
[[nodiscard]] std::string TilesHtml(const RunReport& report);

/// The metrics of each split as a whole.
[[nodiscard]] std::string SummarySection(const RunReport& report);

/// How good the predictions are for rare features: charts of the last split, tables of all.
[[nodiscard]] std::string BucketSection(const RunReport& report);

/// Loss, AUC, speed, rows and memory over the course of training.
[[nodiscard]] std::string CurveSection(const RunReport& report);

/// The shape of the long tail: rank and frequency, and the share of lookups that few rows take.
[[nodiscard]] std::string TailSection(const RunReport& report);

/// Rows and bytes by training count, and what the bytes hold.
[[nodiscard]] std::string StorageSection(const RunReport& report);

}  // namespace longtail::examples
