#include "examples/common/report/report_html.h"

#include <algorithm>

#include "examples/common/report/html_element.h"
#include "examples/common/report/number_text.h"
#include "examples/common/report/report_section.h"
#include "examples/common/report/report_style.h"
#include "examples/common/report/safe_text.h"

namespace longtail::examples {
namespace {

std::string TitleOf(const RunReport& report) {
  return report.title.empty() ? "Training run" : report.title;
}

// The page may load nothing, and says so to the browser: text that slipped through the escaping
// could still run no script and fetch no image.
std::string Head(const RunReport& report) {
  std::string head =
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
      "<meta http-equiv=\"Content-Security-Policy\" "
      "content=\"default-src 'none'; style-src 'unsafe-inline'\"/>\n"
      "<meta name=\"color-scheme\" content=\"light dark\"/>\n<title>" +
      EscapeHtml(TitleOf(report)) + "</title>\n<style>";
  head += ReportStyle();
  return head + "</style>\n</head>\n";
}

std::vector<NamedValue> EnvironmentFacts(const Environment& environment) {
  std::vector<NamedValue> facts;
  const auto add = [&](const char* name, const std::string& value) {
    if (!value.empty()) facts.push_back({.name = name, .value = value});
  };
  add("Machine", environment.machine);
  add("Operating system", environment.operating_system);
  add("CPU", environment.cpu_model);
  add("Cores", environment.core_count > 0 ? std::to_string(environment.core_count) : "");
  add("Memory", environment.memory_bytes > 0 ? BytesText(environment.memory_bytes) : "");
  add("Compiler", environment.compiler);
  add("Build", environment.build_type);
  add("BLAS", environment.blas);
  add("Longtail", environment.version);
  return facts;
}

std::string RunSection(const RunReport& report) {
  std::vector<NamedValue> times;
  for (const PhaseTime& phase : report.phases) {
    times.push_back({.name = phase.name, .value = DurationText(phase.seconds)});
  }
  times.push_back({.name = "all in all", .value = DurationText(report.total_seconds)});
  std::vector<NamedValue> pulls;
  for (std::size_t steps = 0; steps < report.pulls_by_staleness.size(); ++steps) {
    pulls.push_back({.name = GroupedText(steps) + (steps == 1 ? " step" : " steps"),
                     .value = GroupedText(report.pulls_by_staleness[steps])});
  }
  std::vector<NamedValue> wire;
  if (report.wire.total() != 0) {
    const WireTraffic& w = report.wire;
    const auto per_step = [&](std::uint64_t bytes) {
      return GroupedText(bytes / std::max<std::uint64_t>(1, w.steps));
    };
    wire = {{.name = "sent", .value = per_step(w.bytes_sent)},
            {.name = "of it keys", .value = per_step(w.key_bytes_sent)},
            {.name = "of it gradients", .value = per_step(w.value_bytes_sent)},
            {.name = "received", .value = per_step(w.bytes_received)},
            {.name = "of it rows", .value = per_step(w.value_bytes_received)}};
  }
  std::vector<NamedValue> cache;
  if (report.row_cache.rows() != 0) {
    const RowCacheUse& c = report.row_cache;
    cache = {{.name = "rows served", .value = GroupedText(c.rows_served)},
             {.name = "hit rate",
              .value = PercentText(
                  Ratio(static_cast<double>(c.rows_served), static_cast<double>(c.rows())))},
             {.name = "rows asked of servers", .value = GroupedText(c.rows_missed)},
             {.name = "rows put out", .value = GroupedText(c.rows_evicted)},
             {.name = "memory", .value = BytesText(c.bytes)}};
  }
  std::vector<NamedValue> output;
  if (!report.checkpoint_path.empty()) {
    output.push_back({.name = "Checkpoint", .value = report.checkpoint_path});
  }
  const std::string command =
      report.command_line.empty()
          ? std::string()
          : "<pre aria-label=\"Command line\">" + EscapeHtml(report.command_line) + "</pre>\n";
  return Section(
      "How it was run",
      command + "<div class=\"columns\">\n<div>\n" + NamedValueTable("Settings", report.settings) +
          "</div>\n<div>\n" + NamedValueTable("Data", report.data) +
          NamedValueTable("Environment", EnvironmentFacts(report.environment)) +
          NamedValueTable("Pulls by how old their rows may have been", pulls) +
          NamedValueTable("Bytes a step to and from servers", wire) +
          NamedValueTable("Row caches of the workers", cache) + NamedValueTable("Time", times) +
          NamedValueTable("Output", output) + "</div>\n</div>\n");
}

std::string Footer(const RunReport& report) {
  std::string text = "Written by Longtail";
  if (!report.environment.version.empty()) text += " " + report.environment.version;
  text +=
      ", a parameter server for sparse long-tail models. This page is one file and loads "
      "nothing from elsewhere.";
  return "<footer>\n" + Paragraph(text) + "</footer>\n";
}

}  // namespace

std::string ToHtml(const RunReport& report) {
  std::string subtitle;
  if (!report.started_utc.empty()) subtitle += "Started " + report.started_utc + " UTC. ";
  if (report.samples_trained > 0) {
    subtitle += GroupedText(report.samples_trained) + " samples trained in " +
                DurationText(report.train_seconds) + ".";
  }
  return Head(report) + "<body>\n<header>\n<h1>" + EscapeHtml(TitleOf(report)) + "</h1>\n" +
         (subtitle.empty() ? std::string() : Paragraph(subtitle)) + "</header>\n<main>\n" +
         TilesHtml(report) + SummarySection(report) + BucketSection(report) + CurveSection(report) +
         TailSection(report) + StorageSection(report) + RunSection(report) + "</main>\n" +
         Footer(report) + "</body>\n</html>\n";
}

}  // namespace longtail::examples
