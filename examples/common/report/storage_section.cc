#include <cstddef>

#include "examples/common/report/bar_chart.h"
#include "examples/common/report/html_element.h"
#include "examples/common/report/number_text.h"
#include "examples/common/report/report_section.h"

namespace longtail::examples {
namespace {

struct Part {
  std::string name{};
  std::uint64_t bytes = 0;
};

std::string PartsChart(const MemorySplit& memory) {
  const std::vector<Part> parts{{"weights", memory.weight_bytes},
                                {"optimizer", memory.state_bytes},
                                {"row header", memory.header_bytes},
                                {"index", memory.index_bytes}};
  BarChart chart{.title = "Memory by what it holds",
                 .x_label = "part",
                 .style = NumberStyle::kBytes,
                 .base = 0,
                 .colour = 2};
  for (const Part& part : parts) {
    chart.bars.push_back({.label = part.name,
                          .value = static_cast<double>(part.bytes),
                          .text = ShortBytesText(part.bytes)});
  }
  return memory.total() > 0 ? BarChartHtml(chart) : std::string();
}

std::string BucketCharts(const RunReport& report) {
  BarChart rows{.title = "Rows by training count",
                .x_label = "times the row was looked up",
                .style = NumberStyle::kCount,
                .base = 0,
                .colour = 3};
  BarChart bytes{.title = "Memory by training count",
                 .x_label = "times the row was looked up",
                 .style = NumberStyle::kBytes,
                 .base = 0,
                 .colour = 4};
  for (std::size_t i = 0; i < kCountBucketCount; ++i) {
    const std::string label(kCountBuckets[i].name);
    const BucketSize& size = report.rows_by_bucket[i];
    const auto row_count = static_cast<double>(size.row_count);
    rows.bars.push_back({.label = label, .value = row_count, .text = CompactText(row_count)});
    bytes.bars.push_back({.label = label,
                          .value = static_cast<double>(size.bytes),
                          .text = ShortBytesText(size.bytes)});
  }
  return BarChartHtml(rows) + BarChartHtml(bytes);
}

std::string BucketTable(const RunReport& report, const BucketSize& total) {
  HtmlTable table{.caption = "Rows and memory by training count",
                  .header = {"Seen", "Rows", "Share of rows", "Bytes", "Share of bytes"},
                  .rows = {}};
  const auto share = [](std::uint64_t part, std::uint64_t whole) {
    return PercentText(Ratio(static_cast<double>(part), static_cast<double>(whole)));
  };
  for (std::size_t i = 0; i < kCountBucketCount; ++i) {
    const BucketSize& size = report.rows_by_bucket[i];
    table.rows.push_back({std::string(kCountBuckets[i].name), GroupedText(size.row_count),
                          share(size.row_count, total.row_count), BytesText(size.bytes),
                          share(size.bytes, total.bytes)});
  }
  table.rows.push_back({"all", GroupedText(total.row_count),
                        share(total.row_count, total.row_count), BytesText(total.bytes),
                        share(total.bytes, total.bytes)});
  return TableElement(table);
}

}  // namespace

std::string StorageSection(const RunReport& report) {
  BucketSize total;
  for (const BucketSize& size : report.rows_by_bucket) {
    total.row_count += size.row_count;
    total.bytes += size.bytes;
  }
  if (total.row_count == 0 && report.memory.total() == 0) return {};
  std::string html;
  if (total.row_count > 0 && report.memory.total() > 0) {
    const double per_row =
        static_cast<double>(report.memory.total()) / static_cast<double>(total.row_count);
    html += Paragraph("The tables take " + BytesText(report.memory.total()) + ", " +
                      FixedText(per_row, 1) + " bytes a row, index and headers included.");
  }
  html += ChartGrid((total.row_count > 0 ? BucketCharts(report) : std::string()) +
                    PartsChart(report.memory));
  if (total.row_count > 0) html += BucketTable(report, total);
  return Section("Rows and memory", html);
}

}  // namespace longtail::examples
