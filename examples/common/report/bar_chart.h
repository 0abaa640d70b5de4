// A chart of one bar for each category, as SVG in HTML.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "examples/common/report/axis.h"

namespace longtail::examples {

struct Bar {
  std::string label{};
  std::optional<double> value{};  ///< Absent: no bar, only the text.
  std::string text{};             ///< Stands at the end of the bar.
};

struct BarChart {
  std::string title{};
  std::string x_label{};
  NumberStyle style = NumberStyle::kDecimal;
  double base = 0;  ///< Where bars begin: a length says "this much more than base".
  int colour = 1;   ///< 1..4, as the series of a LineChart.
  std::vector<Bar> bars{};
};

/// Returns the figure; nothing if there is no bar with a finite value.
[[nodiscard]] std::string BarChartHtml(const BarChart& chart);

}  // namespace longtail::examples
