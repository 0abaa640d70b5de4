#include "examples/online/event_replay.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <fstream>
#include <map>

#include "server/scratch_directory.h"

namespace longtail::examples {
namespace {

std::string FileOf(const test::ScratchDirectory& scratch, const std::string& text) {
  const std::string path = scratch.path() + "/events.tsv";
  std::ofstream(path) << text;
  return path;
}

TEST_CASE("a file's impressions are events at their times, their clicks later", "[online]") {
  const test::ScratchDirectory scratch;
  std::string text = "click\tcat\trow\n";
  for (int i = 0; i < 500; ++i) {
    text += std::to_string(i % 3 == 0 ? 1 : 0) + "\tc" + std::to_string(i % 7) + "\t" +
            std::to_string(1000 + 2 * i) + "\n";
  }
  const ReplayOptions options{.file = FileOf(scratch, text), .begin_ms = 1000, .ms_per_unit = 10};
  const auto events = MakeEvents(options, 5000);
  REQUIRE(events.ok());
  CHECK(std::ranges::is_sorted(*events, {}, &Event::at_ms));
  std::map<std::string, std::int64_t> shown;
  std::map<std::string, std::int64_t> clicked;
  std::size_t repeated = 0;
  for (const Event& one : *events) {
    if (one.kind == EventKind::kTick) continue;
    auto& times = one.kind == EventKind::kClick ? clicked : shown;
    if (!times.emplace(one.id, one.at_ms).second) ++repeated;
  }
  CHECK(shown.size() == 500);
  CHECK(clicked.size() == 167);
  CHECK(repeated > 0);
  CHECK(shown.at("i2") == 1000 + 2 * 2 * 10);
  CHECK(std::ranges::all_of(clicked, [&](const auto& c) { return c.second >= shown.at(c.first); }));
  CHECK(events->back().kind == EventKind::kTick);
  // The same every time, for a seed.
  const auto again = MakeEvents(options, 5000);
  CHECK(std::ranges::equal(*events, *again, [](const Event& a, const Event& b) {
    return a.kind == b.kind && a.id == b.id && EncodeValue(a) == EncodeValue(b);
  }));
}

TEST_CASE("what is wrong with a file of impressions is named with its line", "[online]") {
  const test::ScratchDirectory scratch;
  const auto says = [&](const std::string& text, const std::string& what) {
    const auto status = MakeEvents({.file = FileOf(scratch, text)}, 0).status();
    CAPTURE(status.ToString());
    CHECK(status.message().find(what) != std::string::npos);
  };
  says("", "is empty");
  says("a\tb\n", "has no column 'click'");
  says("click\tb\n", "has no column 'row'");
  says("click\trow\n", "has no impressions");
  says("click\trow\n1\t5\n2\t5\n", "line 3: want 2 columns, a click of 0 or 1 and a time");
  CHECK(absl::IsNotFound(MakeEvents({.file = scratch.path() + "/none"}, 0).status()));
}

}  // namespace
}  // namespace longtail::examples
