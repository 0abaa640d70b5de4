// A chart of one or more lines, as SVG in HTML.
#pragma once

#include <string>
#include <vector>

#include "examples/common/report/axis.h"
#include "examples/common/report/rank_frequency.h"

namespace longtail::examples {

/// How a series is drawn. Lines differ in dash and marks too, not in colour alone.
enum class SeriesLook : std::uint8_t { kLine, kMarkedLine, kDashedLine };

struct Series {
  std::string name{};
  SeriesLook look = SeriesLook::kLine;
  std::vector<CurveXy> points{};  ///< By x; those that are not finite are left out.
};

struct LineChart {
  std::string title{};
  AxisSpec x{};
  AxisSpec y{};
  std::vector<Series> series{};  ///< Colours follow this order.
};

/// The most points drawn of one line; of more, evenly chosen ones, the last among them.
inline constexpr std::size_t kLinePointCountMax = 400;

/// Returns the figure; nothing if no series has a point that can be drawn.
[[nodiscard]] std::string LineChartHtml(const LineChart& chart);

}  // namespace longtail::examples
