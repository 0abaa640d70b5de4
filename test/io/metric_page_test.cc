// Figures as Prometheus reads them.
#include "io/metric_page.h"

#include <catch2/catch.hpp>

namespace longtail {
namespace {

TEST_CASE("figures of one name are one family with one help", "[metrics]") {
  MetricPage page;
  page.Counter("a_total", "What a is.", std::uint64_t{3}, {{"place", "0"}});
  page.Counter("a_total", "What a is.", 2.5, {{"place", "1"}, {"kind", "x\"y\\z\n"}});
  page.Gauge("b", "What b is.", 0.25);
  CHECK(page.Text() ==
        "# HELP a_total What a is.\n"
        "# TYPE a_total counter\n"
        "a_total{place=\"0\"} 3\n"
        "a_total{place=\"1\",kind=\"x\\\"y\\\\z\\n\"} 2.5\n"
        "# HELP b What b is.\n"
        "# TYPE b gauge\n"
        "b 0.25\n");
}

TEST_CASE("durations are a histogram whose classes add up", "[metrics]") {
  DurationCounts counts;
  counts.Add(absl::Microseconds(10));  // In the first class, whose bound it is.
  counts.Add(absl::Microseconds(11));  // In the second.
  counts.Add(absl::Seconds(100));      // In the last, which has no bound.
  counts.Add(absl::Nanoseconds(-5));   // A clock went back.
  const DurationCounts::Reading reading = counts.Read();
  CHECK(reading.count == 4);
  CHECK(reading.counts[0] == 2);
  CHECK(reading.counts[1] == 1);
  CHECK(reading.counts.back() == 1);
  CHECK(reading.seconds == Approx(100.000021));

  MetricPage page;
  page.Durations("d_seconds", "What d is.", reading);
  const std::string text = page.Text();
  CAPTURE(text);
  CHECK(text.find("# TYPE d_seconds histogram\n") != std::string::npos);
  CHECK(text.find("d_seconds_bucket{le=\"1e-05\"} 2\n") != std::string::npos);
  CHECK(text.find("d_seconds_bucket{le=\"2.5e-05\"} 3\n") != std::string::npos);
  CHECK(text.find("d_seconds_bucket{le=\"10\"} 3\n") != std::string::npos);
  CHECK(text.find("d_seconds_bucket{le=\"+Inf\"} 4\n") != std::string::npos);
  CHECK(text.find("d_seconds_count 4\n") != std::string::npos);
}

}  // namespace
}  // namespace longtail
