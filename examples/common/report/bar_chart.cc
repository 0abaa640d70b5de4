#include "examples/common/report/bar_chart.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "examples/common/report/chart_frame.h"

namespace longtail::examples {
namespace {

constexpr double kBarShare = 0.68;  // Of the room a category has.

bool HasBar(const Bar& bar) {
  return bar.value && std::isfinite(*bar.value);
}

std::string BarSvg(const BarChart& chart, const Bar& bar, const Axis& y, double centre,
                   double width) {
  const double base = PlotY(y, chart.base);
  if (!HasBar(bar)) return SvgText("absent middle", centre, base - 6, bar.text);
  const double end = PlotY(y, *bar.value);
  const std::string name = bar.label + ": " + bar.text;
  std::string svg = "<rect class=\"bar s" + std::to_string(chart.colour) + "\" x=\"" +
                    Coordinate(centre - width / 2) + "\" y=\"" + Coordinate(std::min(base, end)) +
                    "\" width=\"" + Coordinate(width) + "\" height=\"" +
                    Coordinate(std::abs(base - end)) + "\" rx=\"2\"><title>" + EscapeHtml(name) +
                    "</title></rect>\n";
  const double text_y = end <= base ? end - 5 : end + 14;
  return svg + SvgText("value middle", centre, text_y, bar.text);
}

std::string Description(const BarChart& chart) {
  std::string text = "Bar chart: " + chart.title + ", by " + chart.x_label + ".";
  for (const Bar& bar : chart.bars) text += " " + bar.label + ": " + bar.text + ".";
  return text;
}

}  // namespace

std::string BarChartHtml(const BarChart& chart) {
  double low = chart.base;
  double high = chart.base;
  std::size_t shown = 0;
  for (const Bar& bar : chart.bars) {
    if (!HasBar(bar)) continue;
    ++shown;
    low = std::min(low, *bar.value);
    high = std::max(high, *bar.value);
  }
  if (shown == 0) return {};
  // Room above the highest bar for its text.
  high += (high - low) * 0.06;
  const Axis y = MakeAxis({.label = {}, .style = chart.style}, low, high);
  std::string drawing = YAxisSvg(y);
  const double room = (kPlotRight - kPlotLeft) / static_cast<double>(chart.bars.size());
  for (std::size_t i = 0; i < chart.bars.size(); ++i) {
    const double centre = kPlotLeft + room * (static_cast<double>(i) + 0.5);
    drawing += BarSvg(chart, chart.bars[i], y, centre, room * kBarShare);
    drawing += SvgText("tick middle", centre, kPlotBottom + 18, chart.bars[i].label);
  }
  const double base = PlotY(y, chart.base);
  drawing += SvgLine("base", kPlotLeft, base, kPlotRight, base);
  drawing += SvgText("label middle", (kPlotLeft + kPlotRight) / 2, kPlotBottom + 38, chart.x_label);
  return ChartFigure(chart.title, Description(chart), drawing, {});
}

}  // namespace longtail::examples
