// The drawing area that all charts share, in SVG units.
//
//   0        kPlotLeft                 kPlotRight  kChartWidth
//   |  y text |  plot                            |  |
//
// Charts are small on purpose: on a phone one is as wide as the screen and its text stays readable.
#pragma once

#include <string>

#include "examples/common/report/axis.h"
#include "examples/common/report/number_text.h"
#include "examples/common/report/safe_text.h"

namespace longtail::examples {

inline constexpr double kChartWidth = 360;
inline constexpr double kChartHeight = 236;
inline constexpr double kPlotLeft = 54;
inline constexpr double kPlotRight = 346;
inline constexpr double kPlotTop = 14;
inline constexpr double kPlotBottom = 192;

/// Returns a coordinate as SVG takes it.
[[nodiscard]] inline std::string Coordinate(double value) {
  return FixedText(value, 1);
}

[[nodiscard]] inline double PlotX(const Axis& axis, double value) {
  return kPlotLeft + axis.Position(value) * (kPlotRight - kPlotLeft);
}

[[nodiscard]] inline double PlotY(const Axis& axis, double value) {
  return kPlotBottom - axis.Position(value) * (kPlotBottom - kPlotTop);
}

/// Returns text at a place; `css_class` also says which way it is aligned.
[[nodiscard]] inline std::string SvgText(std::string_view css_class, double x, double y,
                                         std::string_view text) {
  return "<text class=\"" + std::string(css_class) + "\" x=\"" + Coordinate(x) + "\" y=\"" +
         Coordinate(y) + "\">" + EscapeHtml(text) + "</text>\n";
}

/// Returns a straight line.
[[nodiscard]] inline std::string SvgLine(std::string_view css_class, double x1, double y1,
                                         double x2, double y2) {
  return "<line class=\"" + std::string(css_class) + "\" x1=\"" + Coordinate(x1) + "\" y1=\"" +
         Coordinate(y1) + "\" x2=\"" + Coordinate(x2) + "\" y2=\"" + Coordinate(y2) + "\"/>\n";
}

/// Returns the y axis: a line across the plot and a number for each tick.
[[nodiscard]] inline std::string YAxisSvg(const Axis& axis) {
  std::string svg;
  for (const Tick& tick : axis.ticks) {
    const double y = PlotY(axis, tick.value);
    svg += SvgLine("grid", kPlotLeft, y, kPlotRight, y);
    svg += SvgText("tick end", kPlotLeft - 6, y + 4, tick.text);
  }
  return svg;
}

/// Returns a figure: the heading, the drawing with its name for those who cannot see it, and what
/// belongs below it.
[[nodiscard]] inline std::string ChartFigure(std::string_view title, std::string_view description,
                                             std::string_view drawing_html,
                                             std::string_view below_html) {
  std::string html = "<figure>\n<figcaption>" + EscapeHtml(title) + "</figcaption>\n";
  html += "<svg role=\"img\" viewBox=\"0 0 " + FixedText(kChartWidth, 0) + " " +
          FixedText(kChartHeight, 0) + "\" aria-label=\"" + EscapeHtml(description) + "\">\n";
  html += drawing_html;
  html += "</svg>\n";
  html += below_html;
  return html + "</figure>\n";
}

}  // namespace longtail::examples
