#include "examples/online/log_joiner.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <optional>
#include <set>

#include "base/random.h"

namespace longtail::examples {
namespace {

Event Shown(std::string id, std::int64_t at_ms) {
  return {
      .kind = EventKind::kImpression, .id = std::move(id), .at_ms = at_ms, .features = {"a", "b"}};
}
Event Clicked(std::string id, std::int64_t at_ms) {
  return {.kind = EventKind::kClick, .id = std::move(id), .at_ms = at_ms};
}
Event Tick(std::int64_t at_ms) {
  return {.at_ms = at_ms};
}

// Ids with their labels, in order: "a+ b-".
std::string Text(const std::vector<Example>& examples) {
  std::string text;
  for (const Example& one : examples) {
    text += (text.empty() ? "" : " ") + one.id + (one.is_click ? "+" : "-");
  }
  return text;
}

std::string Joined(const std::vector<Event>& events, const LogJoinerOptions& options,
                   LogJoinerCounts* counts = nullptr) {
  LogJoiner joiner(options);
  std::vector<Example> examples;
  for (const Event& event : events) joiner.Add(event, examples);
  if (counts != nullptr) *counts = joiner.counts();
  return Text(examples);
}

TEST_CASE("a click makes an example at once, none makes one behind the window", "[online]") {
  const LogJoinerOptions options{.window_ms = 100};
  std::vector<Example> examples;
  LogJoiner joiner(options);
  joiner.Add(Shown("a", 10), examples);
  joiner.Add(Shown("b", 20), examples);
  joiner.Add(Clicked("b", 50), examples);
  REQUIRE(examples.size() == 1);
  CHECK(examples[0].id == "b");
  CHECK(examples[0].is_click);
  CHECK(examples[0].at_ms == 20);
  CHECK(examples[0].joined_ms == 50);
  CHECK(examples[0].features == std::vector<std::string>{"a", "b"});
  joiner.Add(Tick(109), examples);
  CHECK(examples.size() == 1);
  joiner.Add(Tick(110), examples);
  CHECK(Text(examples) == "b+ a-");
  CHECK(joiner.waiting() == 0);
}

TEST_CASE("what comes twice, late, early or alone is counted and makes nothing twice", "[online]") {
  const LogJoinerOptions options{.window_ms = 100};
  LogJoinerCounts counts;
  // Its click came first.
  CHECK(Joined({Clicked("a", 1), Shown("a", 50)}, options) == "a+");
  CHECK(Joined({Clicked("a", 1), Shown("a", 101), Tick(201)}, options, &counts) == "a-");
  CHECK(counts.unmatched_clicks == 1);
  CHECK(Joined({Shown("a", 1), Shown("a", 2), Clicked("a", 3), Clicked("a", 4), Shown("a", 5)},
               options, &counts) == "a+");
  CHECK(counts.repeated_impressions == 2);
  CHECK(counts.repeated_clicks == 1);
  CHECK(Joined({Shown("a", 1), Tick(101), Clicked("a", 102)}, options, &counts) == "a-");
  CHECK(counts.late_clicks == 1);
  // An id that was forgotten is a new one.
  CHECK(Joined({Shown("a", 1), Clicked("a", 2), Tick(102), Shown("a", 103), Clicked("a", 104)},
               options) == "a+ a+");
}

TEST_CASE("when there is no room the oldest is given up, and its click is late", "[online]") {
  const LogJoinerOptions options{.window_ms = 100, .remembered_max = 2};
  LogJoinerCounts counts;
  CHECK(Joined({Shown("a", 1), Shown("b", 2), Shown("c", 3), Clicked("a", 4), Clicked("b", 5)},
               options, &counts) == "a- b+");
  CHECK(counts.closed_early == 1);
  CHECK(counts.late_clicks == 1);
}

// The same by looking at everything, for impressions that come once and before their clicks.
std::multiset<std::string> ReferenceOf(const std::vector<Event>& events, std::int64_t window_ms) {
  std::multiset<std::string> want;
  for (const Event& shown : events) {
    if (shown.kind != EventKind::kImpression) continue;
    const bool is_clicked = std::ranges::any_of(events, [&](const Event& e) {
      return e.kind == EventKind::kClick && e.id == shown.id && e.at_ms < shown.at_ms + window_ms;
    });
    want.insert(shown.id + (is_clicked ? "+" : "-"));
  }
  return want;
}

std::vector<Event> RandomEvents(Rng& rng, bool with_everything) {
  std::vector<Event> events;
  for (int i = 0; i < 200; ++i) {
    const std::string id = std::to_string(i);
    const auto at = static_cast<std::int64_t>(rng.Below(1000));
    events.push_back(Shown(id, at));
    if (rng.Below(2) == 0)
      events.push_back(Clicked(id, at + static_cast<std::int64_t>(rng.Below(200))));
    if (with_everything && rng.Below(4) == 0) {
      events.push_back(Clicked(id, static_cast<std::int64_t>(rng.Below(1200))));
    }
    if (with_everything && rng.Below(4) == 0) {
      events.push_back(Shown(id, static_cast<std::int64_t>(rng.Below(1200))));
    }
  }
  events.push_back(Tick(5000));
  std::ranges::stable_sort(events, {}, &Event::at_ms);
  return events;
}

TEST_CASE("all impressions are examples once, with the labels of an obvious reference",
          "[online]") {
  Rng rng(1);
  for (int round = 0; round < 50; ++round) {
    const std::vector<Event> events = RandomEvents(rng, false);
    LogJoiner joiner({.window_ms = 100});
    std::vector<Example> examples;
    for (const Event& event : events) joiner.Add(event, examples);
    std::multiset<std::string> got;
    for (const Example& one : examples) got.insert(one.id + (one.is_click ? "+" : "-"));
    REQUIRE(got == ReferenceOf(events, 100));
    CHECK(joiner.counts().positives + joiner.counts().negatives == 200);
  }
}

TEST_CASE("a joiner that is saved and loaded anywhere gives what one gives that was not",
          "[online]") {
  Rng rng(2);
  for (int round = 0; round < 50; ++round) {
    const std::vector<Event> events = RandomEvents(rng, true);
    const LogJoinerOptions options{.window_ms = 100, .remembered_max = round % 2 == 0 ? 1000U : 7U};
    LogJoiner whole(options);
    LogJoiner parts(options);
    std::vector<Example> of_whole;
    std::vector<Example> of_parts;
    for (const Event& event : events) {
      whole.Add(event, of_whole);
      if (rng.Below(10) == 0) {
        auto loaded = LogJoiner::Load(options, parts.Save());
        REQUIRE(loaded.ok());
        CHECK(loaded->Save() == parts.Save());
        parts = *std::move(loaded);
      }
      parts.Add(event, of_parts);
    }
    REQUIRE(of_parts == of_whole);
    CHECK(parts.counts() == whole.counts());
  }
}

TEST_CASE("a damaged state of a joiner is told by its line, and never taken", "[online]") {
  LogJoiner joiner({.window_ms = 100});
  std::vector<Example> examples;
  joiner.Add(Shown("a", 1), examples);
  joiner.Add(Clicked("z", 2), examples);
  joiner.Add(Shown("b", 3), examples);
  joiner.Add(Clicked("b", 4), examples);
  const std::string text = joiner.Save();
  REQUIRE(LogJoiner::Load({.window_ms = 100}, text).ok());
  CHECK(absl::IsDataLoss(LogJoiner::Load({}, "").status()));
  CHECK(absl::IsDataLoss(LogJoiner::Load({}, text.substr(0, text.size() - 1)).status()));
  CHECK(absl::IsDataLoss(LogJoiner::Load({}, text + "what\tis\tthis\n").status()));
  CHECK(absl::IsDataLoss(LogJoiner::Load({}, text + "waiting\ta\t1\tx\n").status()));  // Twice.
  CHECK(absl::IsDataLoss(LogJoiner::Load({}, text + "count\tno_such\t1\n").status()));
  Rng rng(4);
  for (int round = 0; round < 2000; ++round) {  // No abort, whatever it is.
    std::string spoilt = text;
    for (std::uint64_t n = 1 + rng.Below(4); n > 0; --n) {
      spoilt[rng.Below(spoilt.size())] = static_cast<char>(rng.Below(256));
    }
    (void)LogJoiner::Load({.window_ms = 100}, spoilt);
  }
}

}  // namespace
}  // namespace longtail::examples
