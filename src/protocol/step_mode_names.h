// Step modes by name: in manifests, command lines and messages.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include "longtail/step_mode.h"

namespace longtail {

/// By StepMode's number: append only.
inline constexpr std::array<std::string_view, 3> kStepModeNames = {"asynchronous", "synchronous",
                                                                   "bounded"};

inline std::string StepModeName(StepMode mode) {
  return std::string(kStepModeNames[static_cast<std::size_t>(mode)]);
}

/// Of a name that is one of them.
inline StepMode StepModeOf(std::string_view name) {
  for (std::size_t i = 0; i < kStepModeNames.size(); ++i) {
    if (kStepModeNames[i] == name) return static_cast<StepMode>(i);
  }
  return StepMode::kAsynchronous;
}

}  // namespace longtail
