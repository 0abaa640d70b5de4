#include "examples/online/event_merge.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <tuple>

#include "base/random.h"

namespace longtail::examples {
namespace {

using Logs = std::vector<std::vector<std::optional<Event>>>;

Event At(std::int64_t at_ms, std::string id = "") {
  return {.kind = EventKind::kImpression, .id = std::move(id), .at_ms = at_ms};
}

TEST_CASE("an event is given once no partition can have an earlier one", "[online]") {
  EventMerge merge({{}, {}});
  merge.Put(0, 10, At(5, "a"));
  CHECK(!merge.Next());
  CHECK(merge.WaitsFor() == 1U);
  merge.Put(1, 3, At(7, "b"));
  CHECK(merge.Next()->id == "a");
  CHECK(!merge.Next());
  CHECK(merge.WaitsFor() == 0U);
  merge.Put(0, 11, At(7, "c"));
  CHECK(merge.Next()->id == "c");  // The lower partition first.
  CHECK(merge.positions()[0] == PartitionPosition{.next = 12, .at_ms = 7});
  CHECK(merge.positions()[1] == PartitionPosition{.next = 0, .at_ms = 0});
}

TEST_CASE("what comes late in its partition is of the time of what came before it", "[online]") {
  EventMerge merge({{.next = 0, .at_ms = 100}});
  merge.Put(0, 0, At(40));
  merge.Put(0, 1, At(101));
  CHECK(merge.Next()->at_ms == 100);
  CHECK(merge.Next()->at_ms == 101);
  CHECK(merge.out_of_order() == 1);
}

// The events of logs in the order in which a merge gives them, filled in a random way.
std::vector<std::tuple<std::int64_t, std::string>> Merged(const Logs& logs, Rng& rng,
                                                          std::size_t restart_after) {
  std::vector<std::tuple<std::int64_t, std::string>> order;
  std::vector<PartitionPosition> from(logs.size());
  for (std::size_t part = 0; part < 2; ++part) {
    EventMerge merge(from);
    std::vector<std::size_t> put;
    for (const PartitionPosition& one : from) put.push_back(static_cast<std::size_t>(one.next));
    while (true) {
      std::optional<Event> event = merge.Next();
      if (event) {
        order.emplace_back(event->at_ms, event->id);
        if (part == 0 && order.size() == restart_after) break;
        continue;
      }
      std::vector<std::size_t> open;
      for (std::size_t i = 0; i < logs.size(); ++i) {
        if (put[i] < logs[i].size()) open.push_back(i);
      }
      if (open.empty()) return order;
      const std::size_t i = open[rng.Below(open.size())];
      for (std::uint64_t n = 1 + rng.Below(3); n > 0 && put[i] < logs[i].size(); --n) {
        merge.Put(i, static_cast<std::int64_t>(put[i]), logs[i][put[i]]);
        ++put[i];
      }
    }
    from = merge.positions();
  }
  return order;
}

TEST_CASE("logs have one order, however they are read and wherever reading began again",
          "[online]") {
  Rng rng(3);
  for (int round = 0; round < 200; ++round) {
    Logs logs(1 + rng.Below(4));
    // An obvious reference: each event with the time of its partition, sorted.
    std::vector<std::tuple<std::int64_t, std::size_t, std::size_t, std::string>> sorted;
    for (std::size_t p = 0; p < logs.size(); ++p) {
      std::int64_t at = 0;
      for (std::size_t i = 0; i < 30; ++i) {
        if (rng.Below(8) == 0) {
          logs[p].emplace_back(std::nullopt);
          continue;
        }
        const std::string id = std::to_string(p) + "/" + std::to_string(i);
        const auto event_at = static_cast<std::int64_t>(rng.Below(20) + i);
        logs[p].emplace_back(At(event_at, id));
        at = std::max(at, event_at);
        sorted.emplace_back(at, p, i, id);
      }
      logs[p].emplace_back(At(1000, "end"));
    }
    std::ranges::sort(sorted);
    std::vector<std::tuple<std::int64_t, std::string>> want;
    for (const auto& [at, p, i, id] : sorted) want.emplace_back(at, id);
    auto got = Merged(logs, rng, 1 + rng.Below(sorted.size()));
    got.resize(std::min(got.size(), want.size()));  // The rest are ends.
    REQUIRE(got == want);
  }
}

}  // namespace
}  // namespace longtail::examples
