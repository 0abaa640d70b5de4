#include "examples/common/report/progress_line.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <limits>
#include <nlohmann/json.hpp>
#include <sstream>
#include <vector>

namespace longtail::examples {
namespace {

using std::chrono::milliseconds;
using TimePoint = ProgressLine::TimePoint;

constexpr std::string_view kNote = "validation AUC 0.7900";
constexpr TimePoint kStart{milliseconds(7'000'000)};

ProgressState SampleState(std::uint64_t samples_seen) {
  return {.samples_seen = samples_seen,
          .samples_total = 4'000'000,
          .loss = 0.45123,
          .auc = 0.78125,
          .row_count = 1'200'000,
          .memory_bytes = 110'400'000,
          .in_flight = 3};
}

std::vector<std::string> Split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, separator);) parts.push_back(part);
  return parts;
}

TEST_CASE("a plain line tells everything and comes once an interval", "[report][progress]") {
  std::ostringstream out;
  ProgressLine line(out, {.mode = ProgressMode::kPlain}, kStart);
  for (int i = 1; i <= 120; ++i) {
    line.Update(SampleState(static_cast<std::uint64_t>(i) * 10'000),
                kStart + milliseconds(100) * i);
  }

  const std::vector<std::string> lines = Split(out.str(), '\n');
  REQUIRE(lines.size() == 2);
  CHECK(lines[0] ==
        "12.5 % | 500,000 samples | 100 k/s | loss 0.4512 | AUC 0.7812 | 1.20 M rows | 92 B/row | "
        "105 MiB | 3 in flight | 35 s left");
  CHECK(lines[1].starts_with("25.0 % | 1,000,000 samples | 100 k/s"));
}

TEST_CASE("the line on a terminal is rewritten, never wraps, leaves nothing behind",
          "[report][progress]") {
  const std::size_t width = GENERATE(range<std::size_t>(0, 150));
  CAPTURE(width);
  std::ostringstream out;
  ProgressLine line(out, {.mode = ProgressMode::kTerminal, .width = width}, kStart);
  line.Update(SampleState(400'000), kStart + milliseconds(4000));
  line.Update({.samples_seen = 401'000}, kStart + milliseconds(4200));
  line.Note(kNote);
  line.Finish(SampleState(4'000'000), kStart + milliseconds(40'000));

  // What the terminal shows, character by character.
  std::string screen;
  std::vector<std::string> lines;
  std::size_t column = 0;
  std::size_t widest = 0;
  for (const char c : out.str()) {
    if (c == '\r') {
      column = 0;
    } else if (c == '\n') {
      lines.push_back(screen.substr(0, screen.find_last_not_of(' ') + 1));
      screen.clear();
      column = 0;
    } else {
      REQUIRE(c >= ' ');
      if (screen.size() <= column) screen.resize(column + 1, ' ');
      screen[column++] = c;
      widest = std::max(widest, column);
    }
  }
  CHECK(widest < std::max<std::size_t>(width, kNote.size() + 1));
  REQUIRE(lines.size() == 2);
  CHECK(lines[0] == kNote);
  CHECK(lines[1].size() < std::max<std::size_t>(width, 1));
  if (width >= 12) CHECK(lines[1].find("loss 0.4512") != std::string::npos);
  if (width >= 140) {
    CHECK(lines[1] ==
          "100.0 % | 4,000,000 samples | 101 k/s | loss 0.4512 | AUC 0.7812 | 1.20 M rows | "
          "92 B/row | 105 MiB | 3 in flight | 0.00 s left");
  }
}

TEST_CASE("a narrow terminal keeps what matters most", "[report][progress]") {
  std::ostringstream out;
  ProgressLine line(out, {.mode = ProgressMode::kTerminal, .width = 64}, kStart);
  line.Update(SampleState(400'000), kStart + milliseconds(4000));

  CHECK(out.str() == "\r10.0 % | 400,000 samples | 100 k/s | loss 0.4512 | AUC 0.7812");
}

TEST_CASE("JSON lines hold the state, absent values as null", "[report][progress]") {
  std::ostringstream out;
  ProgressLine line(out, {.mode = ProgressMode::kJson}, kStart);
  line.Update(SampleState(500'000), kStart + milliseconds(5000));
  line.Note("a \"note\"\x1b");
  line.Finish({.samples_seen = 600'000, .loss = std::numeric_limits<double>::quiet_NaN()},
              kStart + milliseconds(6000));

  const std::vector<std::string> lines = Split(out.str(), '\n');
  REQUIRE(lines.size() == 3);
  const auto first = nlohmann::json::parse(lines[0]);
  CHECK(first == nlohmann::json{{"event", "progress"},
                                {"seconds", 5.0},
                                {"samples_seen", 500'000},
                                {"samples_total", 4'000'000},
                                {"samples_per_second", 100'000.0},
                                {"loss", 0.45123},
                                {"auc", 0.78125},
                                {"row_count", 1'200'000},
                                {"memory_bytes", 110'400'000},
                                {"in_flight", 3},
                                {"seconds_left", 35.0}});
  CHECK(nlohmann::json::parse(lines[1]) ==
        nlohmann::json{{"event", "note"}, {"text", "a \"note\"\xEF\xBF\xBD"}});
  const auto last = nlohmann::json::parse(lines[2]);
  CHECK(last.at("samples_total").is_null());
  CHECK(last.at("loss").is_null());
  CHECK(last.at("seconds_left").is_null());
}

TEST_CASE("the speed shown follows a change within seconds", "[report][progress]") {
  std::ostringstream out;
  ProgressLine line(out, {.mode = ProgressMode::kJson, .line_interval = milliseconds(1000)},
                    kStart);
  std::uint64_t samples = 0;
  for (int second = 1; second <= 60; ++second) {
    samples += second <= 30 ? 40'000 : 10'000;
    line.Update({.samples_seen = samples}, kStart + milliseconds(1000) * second);
  }
  const std::vector<std::string> lines = Split(out.str(), '\n');
  const auto speed = [&](std::size_t second) {
    return nlohmann::json::parse(lines[second - 1]).at("samples_per_second").get<double>();
  };

  CHECK(speed(1) == Approx(40'000));
  CHECK(speed(30) == Approx(40'000));
  CHECK(speed(32) < 35'000);
  CHECK(speed(60) == Approx(10'000).epsilon(0.02));
}

}  // namespace
}  // namespace longtail::examples
