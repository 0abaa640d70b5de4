// Step modes by name.
#pragma once

#include <string_view>

#include "longtail/step_mode.h"

namespace longtail::cli {

inline constexpr const char* kAsynchronousText = "asynchronous";
inline constexpr const char* kSynchronousText = "synchronous";

/// Of one of these two.
inline StepMode StepModeOf(std::string_view name) {
  return name == kSynchronousText ? StepMode::kSynchronous : StepMode::kAsynchronous;
}

inline const char* StepModeText(StepMode mode) {
  return mode == StepMode::kSynchronous ? kSynchronousText : kAsynchronousText;
}

}  // namespace longtail::cli
