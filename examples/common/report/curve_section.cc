#include <utility>

#include "examples/common/report/html_element.h"
#include "examples/common/report/line_chart.h"
#include "examples/common/report/report_section.h"

namespace longtail::examples {
namespace {

// A chart over the samples seen, without its lines.
LineChart ChartOf(const std::string& title, NumberStyle style) {
  LineChart chart;
  chart.title = title;
  chart.x.label = "samples seen";
  chart.x.style = NumberStyle::kCount;
  chart.x.to_tick = false;
  chart.y.label = title;
  chart.y.style = style;
  return chart;
}

// The points at which something was measured.
template <typename Value>
std::vector<CurveXy> PointsOf(const RunReport& report, Value CurvePoint::*member) {
  std::vector<CurveXy> points;
  for (const CurvePoint& point : report.curve) {
    const auto x = static_cast<double>(point.samples_seen);
    if constexpr (requires { (point.*member).has_value(); }) {
      if (point.*member) points.push_back({.x = x, .y = *(point.*member)});
    } else {
      points.push_back({.x = x, .y = static_cast<double>(point.*member)});
    }
  }
  return points;
}

template <typename Value>
void AddSeries(LineChart& chart, const std::string& name, SeriesLook look, const RunReport& report,
               Value CurvePoint::*member) {
  Series series;
  series.name = name;
  series.look = look;
  series.points = PointsOf(report, member);
  chart.series.push_back(std::move(series));
}

template <typename Value>
std::string SingleChart(const RunReport& report, const std::string& title, NumberStyle style,
                        Value CurvePoint::*member) {
  LineChart chart = ChartOf(title, style);
  AddSeries(chart, title, SeriesLook::kLine, report, member);
  return LineChartHtml(chart);
}

}  // namespace

std::string CurveSection(const RunReport& report) {
  if (report.curve.empty()) return {};
  LineChart loss = ChartOf("Logloss", NumberStyle::kDecimal);
  AddSeries(loss, "training, before each update", SeriesLook::kLine, report,
            &CurvePoint::train_loss);
  AddSeries(loss, "validation", SeriesLook::kMarkedLine, report, &CurvePoint::validation_logloss);
  LineChart auc = ChartOf("AUC", NumberStyle::kDecimal);
  AddSeries(auc, "training, running estimate", SeriesLook::kLine, report,
            &CurvePoint::streaming_auc);
  AddSeries(auc, "validation, exact", SeriesLook::kMarkedLine, report, &CurvePoint::validation_auc);
  const std::string charts =
      LineChartHtml(loss) + LineChartHtml(auc) +
      SingleChart(report, "Samples a second", NumberStyle::kCount,
                  &CurvePoint::samples_per_second) +
      SingleChart(report, "Rows", NumberStyle::kCount, &CurvePoint::row_count) +
      SingleChart(report, "Memory of the tables", NumberStyle::kBytes, &CurvePoint::memory_bytes);
  return Section("Training", ChartGrid(charts));
}

}  // namespace longtail::examples
