#include "examples/common/report/result_table.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <sstream>

#include "examples/common/report/safe_text.h"
#include "sample_report.h"

namespace longtail::examples {
namespace {

std::string Printed(const RunReport& report, TerminalStyle style) {
  std::ostringstream out;
  PrintResultTable(report, out, style);
  return out.str();
}

TEST_CASE("the tables at the end fit 80 columns of plain text", "[report][terminal]") {
  const std::string text = Printed(test::SampleReport(), {});

  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    CAPTURE(line);
    CHECK(WidthOf(line) <= 80);
    CHECK((line.empty() || line.back() != ' '));
  }
  CHECK(std::ranges::all_of(text, [](char c) { return c == '\n' || (c >= ' ' && c <= '~'); }));
  CHECK(text.find("test        4,583,917  0.7902  0.7190   0.4554  0.8099        1.006\n") !=
        std::string::npos);
  CHECK(text.find("n/a (one class)") != std::string::npos);
  CHECK(text.find("n/a (empty)") != std::string::npos);
  CHECK(text.find("by how often training saw the feature in C3\n") != std::string::npos);
}

TEST_CASE("pulls are shown by staleness where it was counted", "[report][terminal]") {
  RunReport report = test::SampleReport();

  report.row_cache = {};
  CHECK(Printed(report, {})
            .ends_with("\nPulls for training, by how many steps old their rows may have been\n"
                       "steps   pulls    share\n"
                       "----------------------\n"
                       "0      17,901   66.7 %\n"
                       "1       8,953   33.3 %\n"
                       "2           2  < 0.1 %\n"));
  report.pulls_by_staleness.clear();
  CHECK(Printed(report, {}).find("Pulls for training") == std::string::npos);
}

TEST_CASE("the hit rate of row caches is shown where there are any", "[report][terminal]") {
  RunReport report = test::SampleReport();

  CHECK(Printed(report, {})
            .ends_with("\nRows for training, by where they came from\n"
                       "from          rows   share\n"
                       "--------------------------\n"
                       "row cache  300,000  75.0 %\n"
                       "servers    100,000  25.0 %\n"));
  report.row_cache = {};
  CHECK(Printed(report, {}).find("Rows for training") == std::string::npos);
}

TEST_CASE("colour and line drawing come only when asked for", "[report][terminal]") {
  const RunReport report = test::SampleReport();

  CHECK(Printed(report, {.color = true}).find("\x1b[1mResult\x1b[0m\n") == 0);
  CHECK(Printed(report, {.unicode = true}).find("\u2500\u2500") != std::string::npos);
  CHECK(Printed(report, {.unicode = true}).find('\x1b') == std::string::npos);
  CHECK(Printed(RunReport{}, {.color = true}).empty());
}

TEST_CASE("names from outside cannot steer the terminal", "[report][terminal]") {
  RunReport report = test::SampleReport();
  report.field_name = "\x1b[2J\r\n";
  for (SplitResult& split : report.splits) split.name = "\x1b]0;x\x07";

  const std::string text = Printed(report, {});

  CHECK(text.find('\x1b') == std::string::npos);
  CHECK(text.find('\r') == std::string::npos);
  CHECK(text.find('\x07') == std::string::npos);
}

TEST_CASE("columns of text beyond ASCII stay aligned", "[report][terminal]") {
  const std::string text = TextOf({.title = "t",
                                   .header = {"name", "value"},
                                   .rows = {{"caf\xC3\xA9", "7"}, {"plain text", "12"}, {"x"}}},
                                  {});

  CHECK(text ==
        "t\n"
        "name        value\n"
        "-----------------\n"
        "caf\xC3\xA9            7\n"
        "plain text     12\n"
        "x\n");
}

}  // namespace
}  // namespace longtail::examples
