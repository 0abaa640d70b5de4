// The shapes of the checks: those of a click-through model, small.
#pragma once

#include <cstdint>

namespace longtail::device {

inline constexpr std::uint32_t kCheckFields = 8;
inline constexpr std::uint32_t kCheckDim = 16;
inline constexpr std::uint32_t kCheckRowDim = kCheckDim + 1;  ///< With a linear weight.
inline constexpr std::uint32_t kCheckColumns = kCheckFields * kCheckDim;

}  // namespace longtail::device
