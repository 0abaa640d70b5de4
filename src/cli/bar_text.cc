#include "cli/bar_text.h"

#include <algorithm>
#include <cmath>

namespace longtail::cli {

std::string BarText(std::uint64_t value, std::uint64_t value_max, std::size_t width,
                    BarStyle style) {
  if (value == 0 || value_max == 0) return "";
  const double share = static_cast<double>(value) / static_cast<double>(value_max);
  const auto size = static_cast<std::size_t>(std::lround(share * static_cast<double>(width)));
  std::string bar;
  for (std::size_t i = 0; i < std::max<std::size_t>(size, 1); ++i) {
    bar += style == BarStyle::kBlocks ? "█" : "#";
  }
  return bar;
}

}  // namespace longtail::cli
