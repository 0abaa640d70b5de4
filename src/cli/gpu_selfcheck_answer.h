// What `longtail gpu-selfcheck` prints.
#pragma once

#include <string>

#include "cli/gpu_selfcheck.h"

namespace longtail::cli {

/// Lines for people: each check, what it found, and how fast it was of what the device can do.
std::string GpuSelfcheckText(const GpuSelfcheckReport& report);

/// One JSON object on one line.
std::string GpuSelfcheckJson(const GpuSelfcheckReport& report);

}  // namespace longtail::cli
