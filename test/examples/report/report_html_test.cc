#include "examples/common/report/report_html.h"

#include <catch2/catch.hpp>
#include <limits>

#include "markup_check.h"
#include "sample_report.h"

namespace longtail::examples {
namespace {

std::size_t CountOf(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t i = text.find(part); i != std::string::npos; i = text.find(part, i + 1)) ++count;
  return count;
}

void CheckSelfContained(const std::string& html) {
  for (const char* reference : {"http://", "https://", "//cdn", "<script", "<link", "<img",
                                "src=", "href=", "url(", "@import", "<iframe"}) {
    CAPTURE(reference);
    CHECK(CountOf(html, reference) == 0);
  }
}

TEST_CASE("the page of a full report is well-formed and loads nothing", "[report][html]") {
  const std::string html = ToHtml(test::SampleReport());

  CHECK(test::MarkupError(html) == "");
  CheckSelfContained(html);
  CHECK(html.size() < 150'000);
  CHECK(html.find("nan") == std::string::npos);
}

TEST_CASE("the checker of these tests finds what is wrong", "[report][html]") {
  CHECK(test::MarkupError("<p class=\"a>b\">1 &lt; 2<br/></p>").empty());
  for (const char* broken : {"<p>", "</p>", "<p><b></p></b>", "a > b", "a < b", "&copy;", "&", "<p",
                             "<p a=\"<\"></p>"}) {
    CAPTURE(broken);
    CHECK_FALSE(test::MarkupError(broken).empty());
  }
}

TEST_CASE("the page shows the numbers a reader looks for", "[report][html]") {
  const std::string html = ToHtml(test::SampleReport());

  for (const char* part : {"<strong>0.7902</strong>",
                           "CTR on Criteo DAC",
                           "--optimizer adagrad",
                           "n/a (one class)",
                           "n/a (empty)",
                           "Zipf exponent 1.07",
                           "rows took",
                           "were seen once",
                           "AMD EPYC 9554",
                           "OpenBLAS 0.3.21",
                           "checkpoint-0036670200",
                           "8 min 17 s",
                           "Longtail 0.1.0",
                           "The other splits",
                           "36,670,200 samples",
                           "By the feature in C3",
                           "23,417",
                           "prefers-color-scheme: dark",
                           "name=\"viewport\"",
                           "75.0 %",
                           "300,000"}) {
    CAPTURE(part);
    CHECK(html.find(part) != std::string::npos);
  }
}

TEST_CASE("every chart has a name for those who cannot see it", "[report][html]") {
  const std::string html = ToHtml(test::SampleReport());

  CHECK(CountOf(html, "<figure>") == 16);
  CHECK(CountOf(html, "<svg role=\"img\"") == CountOf(html, "<figure>"));
  CHECK(CountOf(html, "aria-label=\"Line chart: ") + CountOf(html, "aria-label=\"Bar chart: ") ==
        CountOf(html, "<figure>"));
  CHECK(CountOf(html, "<caption>") == CountOf(html, "<table"));
}

TEST_CASE("hostile text stays text, wherever it comes from", "[report][html]") {
  const std::string hostile = GENERATE(
      std::string("</title></style><script>alert(1)</script>"), std::string("\" onload=\"alert(1)"),
      std::string("' & <b>&amp;"), std::string("]]><!--"),
      std::string("\xFF\xC0\xAF\xED\xA0\x80 \x1b[31m \x01"), std::string("nul\0byte", 8));
  CAPTURE(hostile);
  RunReport report = test::SampleReport();
  const std::size_t tags = CountOf(ToHtml(report), "<");
  report.title = hostile;
  report.command_line = hostile;
  report.started_utc = hostile;
  report.settings = {{hostile, hostile}, {hostile, hostile}, {hostile, hostile},
                     {hostile, hostile}, {hostile, hostile}, {hostile, hostile}};
  report.data = {{hostile, hostile}, {hostile, hostile}, {hostile, hostile}};
  report.environment.cpu_model = hostile;
  report.environment.version = hostile;
  report.field_name = hostile;
  report.checkpoint_path = hostile;
  for (SplitResult& split : report.splits) split.name = hostile;
  for (PhaseTime& phase : report.phases) phase.name = hostile;

  const std::string html = ToHtml(report);

  CHECK(test::MarkupError(html) == "");
  CHECK(CountOf(html, "<") == tags);
  CHECK(html.find("<script") == std::string::npos);
  CHECK(html.find("\" onload") == std::string::npos);
  CHECK(html.find('\x1b') == std::string::npos);
  CHECK(html.find('\0') == std::string::npos);
}

TEST_CASE("a report without data is a page without empty charts", "[report][html]") {
  const std::string html = ToHtml(RunReport{});

  CHECK(test::MarkupError(html) == "");
  CHECK(CountOf(html, "<figure>") == 0);
  CHECK(html.find("<h1>Training run</h1>") != std::string::npos);
}

TEST_CASE("a run that diverged still has a page, without its infinities", "[report][html]") {
  RunReport report = test::SampleReport();
  for (std::size_t i = 300; i < report.curve.size(); ++i) {
    report.curve[i].train_loss = std::numeric_limits<double>::quiet_NaN();
    report.curve[i].samples_per_second = std::numeric_limits<double>::infinity();
  }
  report.curve[0].train_loss = std::numeric_limits<double>::infinity();
  report.total_seconds = std::numeric_limits<double>::quiet_NaN();

  const std::string html = ToHtml(report);

  CHECK(test::MarkupError(html) == "");
  CHECK(CountOf(html, "<figure>") == 16);
  CHECK(CountOf(html, "\"nan\"") + CountOf(html, "\"inf\"") + CountOf(html, ",nan") == 0);
}

TEST_CASE("the size of the page does not grow with the run", "[report][html]") {
  RunReport report = test::SampleReport();
  const std::size_t before = ToHtml(report).size();
  while (report.curve.size() < 50'000) {
    report.curve.push_back(report.curve.back());
    report.curve.back().samples_seen += 61'117;
    report.curve.back().validation_auc.reset();
    report.curve.back().validation_logloss.reset();
  }

  CHECK(ToHtml(report).size() < before + 2000);
}

}  // namespace
}  // namespace longtail::examples
