// A config in words: for the report, and to see that a resumed training has the same one.
#pragma once

#include <string>
#include <vector>

#include "examples/common/report/run_report.h"
#include "examples/ctr/train_config.h"

namespace longtail::examples {

/// Every setting that decides the result, in a fixed order.
std::vector<NamedValue> SettingsOf(const TrainConfig& config);

/// The settings that a training must share with the checkpoint it resumes from, "name value" a
/// line: all but the numbers of lanes and partitions, which decide nothing.
std::string ResumeSettings(const TrainConfig& config);

}  // namespace longtail::examples
