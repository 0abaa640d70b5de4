#include "examples/common/report/line_chart.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

#include "examples/common/report/chart_frame.h"

namespace longtail::examples {
namespace {

struct Range {
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();

  void Take(double value) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
};

// Those a chart can show, thinned out.
std::vector<CurveXy> Drawable(const LineChart& chart, const Series& series) {
  std::vector<CurveXy> finite;
  for (const CurveXy& p : series.points) {
    if (!std::isfinite(p.x) || !std::isfinite(p.y)) continue;
    if (chart.x.scale == AxisScale::kLog && p.x <= 0) continue;
    if (chart.y.scale == AxisScale::kLog && p.y <= 0) continue;
    finite.push_back(p);
  }
  if (finite.size() <= kLinePointCountMax) return finite;
  std::vector<CurveXy> chosen;
  for (std::size_t i = 0; i < kLinePointCountMax; ++i) {
    chosen.push_back(finite[i * (finite.size() - 1) / (kLinePointCountMax - 1)]);
  }
  return chosen;
}

std::string ColourClass(std::size_t series_index) {
  return std::string(1, 's').append(std::to_string(series_index % 4 + 1));
}

std::string XAxisSvg(const AxisSpec& spec, const Axis& axis) {
  std::string svg = SvgLine("base", kPlotLeft, kPlotBottom, kPlotRight, kPlotBottom);
  for (const Tick& tick : axis.ticks) {
    const double x = PlotX(axis, tick.value);
    svg += SvgLine("base", x, kPlotBottom, x, kPlotBottom + 4);
    // The text of a tick at the very end would be cut off if it were centred there.
    const bool at_end = x > kPlotRight - 12;
    svg += SvgText(at_end ? "tick end" : "tick middle", at_end ? kPlotRight + 10 : x,
                   kPlotBottom + 18, tick.text);
  }
  return svg + SvgText("label middle", (kPlotLeft + kPlotRight) / 2, kPlotBottom + 38, spec.label);
}

std::string SeriesSvg(const Series& series, const std::vector<CurveXy>& points, const Axis& x,
                      const Axis& y, const std::string& colour) {
  std::string path;
  std::string marks;
  for (const CurveXy& p : points) {
    const std::string px = Coordinate(PlotX(x, p.x));
    const std::string py = Coordinate(PlotY(y, p.y));
    path += (path.empty() ? "" : " ") + px + "," + py;
    if (series.look == SeriesLook::kMarkedLine || points.size() == 1) {
      marks += "<circle class=\"mark " + colour + "\" cx=\"" + px + "\" cy=\"" + py +
               "\" r=\"3.2\"><title>" + EscapeHtml(series.name) + ": " + FixedText(p.y, 4) +
               "</title></circle>\n";
    }
  }
  const std::string look = series.look == SeriesLook::kDashedLine ? " dashed" : "";
  return "<polyline class=\"line " + colour + look + "\" points=\"" + path + "\"/>\n" + marks;
}

std::string LegendHtml(const std::vector<Series>& series,
                       const std::vector<std::vector<CurveXy>>& points) {
  std::string html = "<ul class=\"legend\">";
  for (std::size_t i = 0; i < series.size(); ++i) {
    if (points[i].empty()) continue;
    const std::string look = series[i].look == SeriesLook::kDashedLine ? " dashed" : "";
    html +=
        "<li><svg class=\"key\" viewBox=\"0 0 26 10\" aria-hidden=\"true\">"
        "<line class=\"line " +
        ColourClass(i) + look + "\" x1=\"0\" y1=\"5\" x2=\"26\" y2=\"5\"/>";
    if (series[i].look == SeriesLook::kMarkedLine) {
      html += "<circle class=\"mark " + ColourClass(i) + "\" cx=\"13\" cy=\"5\" r=\"3.2\"/>";
    }
    html += "</svg>" + EscapeHtml(series[i].name) + "</li>";
  }
  return html + "</ul>\n";
}

// What the chart shows, in a sentence: it is all that a screen reader has.
std::string Description(const LineChart& chart, const std::vector<std::vector<CurveXy>>& points) {
  std::string text = "Line chart: " + chart.title + ". Across: " + chart.x.label + ".";
  for (std::size_t i = 0; i < points.size(); ++i) {
    if (points[i].empty()) continue;
    text += " " + chart.series[i].name + " from " + CompactText(points[i].front().y) + " to " +
            CompactText(points[i].back().y) + ".";
  }
  return text;
}

}  // namespace

std::string LineChartHtml(const LineChart& chart) {
  std::vector<std::vector<CurveXy>> points;
  Range x_range;
  Range y_range;
  std::size_t shown = 0;
  for (const Series& series : chart.series) {
    points.push_back(Drawable(chart, series));
    shown += points.back().empty() ? 0 : 1;
    for (const CurveXy& p : points.back()) {
      x_range.Take(p.x);
      y_range.Take(p.y);
    }
  }
  if (shown == 0) return {};
  const Axis x = MakeAxis(chart.x, x_range.low, x_range.high);
  const Axis y = MakeAxis(chart.y, y_range.low, y_range.high);
  std::string drawing = YAxisSvg(y) + XAxisSvg(chart.x, x);
  for (std::size_t i = 0; i < points.size(); ++i) {
    if (points[i].empty()) continue;
    drawing += SeriesSvg(chart.series[i], points[i], x, y, ColourClass(i));
  }
  return ChartFigure(chart.title, Description(chart, points), drawing,
                     shown > 1 ? LegendHtml(chart.series, points) : std::string());
}

}  // namespace longtail::examples
