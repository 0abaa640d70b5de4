#include "examples/online/numbered_examples.h"

#include <catch2/catch.hpp>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "server/cluster_fixture.h"

namespace longtail::examples {
namespace {

using test::Must;
using test::Says;

Example ExampleOf(std::uint64_t i) {
  return {.id = "i" + std::to_string(i),
          .at_ms = static_cast<std::int64_t>(100 + i),
          .joined_ms = static_cast<std::int64_t>(200 + i),
          .is_click = i % 3 == 0,
          .features = {"a=" + std::to_string(i % 7), "Zürich"},
          .written_ms = static_cast<std::int64_t>(300 + i)};
}

// What a joiner sends: an example for each number, but for every fifth, which is a tick.
std::vector<NumberedExample> Sent(std::uint64_t count) {
  ExamplePlace place;
  std::vector<NumberedExample> sent;
  for (std::uint64_t i = 0; i < count; ++i) {
    sent.push_back(i % 5 == 4 ? NumberTick(place, static_cast<std::int64_t>(200 + i))
                              : NumberExample(place, ExampleOf(i)));
  }
  return sent;
}

TEST_CASE("a numbered example and a tick are what they were behind their bytes", "[online]") {
  for (const NumberedExample& one : Sent(10)) {
    CHECK(Must(DecodeNumbered(EncodeNumbered(one))) == one);
  }
  CHECK(EncodeNumbered(Sent(5)[4]).substr(0, 2) == "4\t");
  for (const char* wrong : {"", "1", "1\t2", "1\t2\t3", "x\t2\t3\t4", "1\tx\t3\t4", "1\t2\tx\t4",
                            "1\t2\t3\tx", "1\t2\t3\t4\t2\tid\t5\tf", "-1\t2\t3\t4"}) {
    CAPTURE(wrong);
    CHECK(absl::IsInvalidArgument(DecodeNumbered(wrong).status()));
  }
}

// A joiner: what it sends comes into each partition's log in order, but the partitions' own paces
// differ. A state waits until all is there; who is killed loses what is under way.
struct Joiner {
  std::uint64_t next = 0;
  std::uint64_t saved = 0;
  std::vector<std::deque<NumberedExample>> under_way;
};
using Logs = std::vector<std::vector<NumberedExample>>;

// What two joiners at a time make of the logs until both are at the end.
Logs LogsOf(const std::vector<NumberedExample>& sent, std::uint64_t partitions, Rng& rng) {
  Logs logs(partitions);
  std::vector<Joiner> joiners(2);
  for (Joiner& one : joiners) one.under_way.resize(partitions);
  const auto deliver = [&](Joiner& joiner, std::size_t p) {
    logs[p].push_back(joiner.under_way[p].front());
    joiner.under_way[p].pop_front();
  };
  while (joiners[0].saved < sent.size() || joiners[1].saved < sent.size()) {
    Joiner& joiner = joiners[rng.Below(2)];
    const std::uint64_t chance = rng.Below(100);
    if (chance < 60 && joiner.next < sent.size()) {
      joiner.under_way[joiner.next % partitions].push_back(sent[joiner.next]);
      ++joiner.next;
    } else if (chance < 95) {
      const std::size_t p = rng.Below(partitions);
      if (!joiner.under_way[p].empty()) deliver(joiner, p);
    } else if (chance < 98) {
      for (std::size_t p = 0; p < partitions; ++p) {
        while (!joiner.under_way[p].empty()) deliver(joiner, p);
      }
      joiner.saved = joiner.next;
    } else {
      for (auto& queue : joiner.under_way) queue.clear();
      joiner.next = joiner.saved;
    }
  }
  return logs;
}

TEST_CASE("each example is given out once and in order, whoever was killed and sent again",
          "[online]") {
  constexpr std::uint64_t kCount = 300;
  const std::vector<NumberedExample> sent = Sent(kCount);
  Rng rng(3);
  std::uint64_t repeated = 0;
  for (int round = 0; round < 100; ++round) {
    CAPTURE(round);
    const std::uint64_t partitions = 1 + rng.Below(4);
    const Logs logs = LogsOf(sent, partitions, rng);
    ExampleOrder order({}, std::vector<std::int64_t>(partitions, 0));
    std::vector<std::int64_t> read(partitions, 0);
    std::vector<NumberedExample> got;
    std::size_t saved_got = 0;
    ExamplePlace saved_place;
    std::vector<std::int64_t> saved_offsets(partitions, 0);
    while (got.size() < kCount) {
      const std::size_t p = rng.Below(partitions);
      for (std::uint64_t n = rng.Below(20); n > 0; --n) {
        const auto at = static_cast<std::size_t>(read[p]);
        if (at == logs[p].size()) break;
        Must(order.Put(p, read[p]++, logs[p][at]));
      }
      for (std::uint64_t n = rng.Below(30); n > 0; --n) {
        const std::optional<NumberedExample> one = Must(order.Next());
        if (!one) break;
        got.push_back(*one);
      }
      if (rng.Below(10) == 0) {  // A checkpoint.
        saved_got = got.size();
        saved_place = order.place();
        saved_offsets = order.offsets();
      }
      if (rng.Below(40) == 0) {  // The trainer is killed.
        repeated += order.repeated();
        order = ExampleOrder(saved_place, saved_offsets);
        read = saved_offsets;
        got.resize(saved_got);
      }
    }
    REQUIRE(got == sent);
    CHECK(order.place() == ExamplePlace{.next = kCount, .digest = sent.back().digest});
  }
  CHECK(repeated > 1000);
}

TEST_CASE("what is missing, of another count of partitions, or of another joiner is refused",
          "[online]") {
  const std::vector<NumberedExample> sent = Sent(6);
  {
    ExampleOrder order({}, {0, 0});
    Must(order.Put(0, 7, sent[0]));
    const absl::Status missing = order.Put(0, 8, sent[4]);
    CHECK(absl::IsDataLoss(missing));
    CHECK(Says(missing, "offset 8: example 4 comes where 2 does"));
    const absl::Status elsewhere = order.Put(1, 0, sent[2]);
    CHECK(absl::IsInvalidArgument(elsewhere));
    CHECK(Says(elsewhere, "example 2 lies in the wrong one of 2 partitions"));
  }
  // Another joiner had other options: from some example on it says something else.
  ExamplePlace place;
  for (int i = 0; i < 2; ++i) NumberExample(place, ExampleOf(static_cast<std::uint64_t>(i)));
  Example other = ExampleOf(2);
  other.is_click = !other.is_click;
  const NumberedExample second = NumberExample(place, other);
  const NumberedExample third = NumberExample(place, ExampleOf(3));
  {
    ExampleOrder order({}, {0});
    for (std::size_t i = 0; i < 2; ++i) {
      Must(order.Put(0, static_cast<std::int64_t>(i), sent[i]));
      CHECK(Must(order.Next()) == sent[i]);
    }
    // It follows from what was before it, and so is taken: the same is not sent twice.
    Must(order.Put(0, 2, second));
    CHECK(Must(order.Next()) == second);
    // But then the first joiner's third one does not.
    Must(order.Put(0, 3, sent[3]));
    const absl::Status foreign = order.Next().status();
    CHECK(absl::IsFailedPrecondition(foreign));
    CHECK(Says(foreign, "offset 3: example 3 does not follow from those before it"));
  }
  ExampleOrder order({}, {0});
  for (std::size_t i = 0; i < 3; ++i) {
    Must(order.Put(0, static_cast<std::int64_t>(i), sent[i]));
    CHECK(Must(order.Next()) == sent[i]);
  }
  Must(order.Put(0, 3, third));
  CHECK(absl::IsFailedPrecondition(order.Next().status()));
  CHECK(order.place() == ExamplePlace{.next = 3, .digest = sent[2].digest});
}

TEST_CASE("repeats alone move a partition on, and none that waits is left behind", "[online]") {
  const std::vector<NumberedExample> sent = Sent(4);
  ExampleOrder order({.next = 2, .digest = sent[1].digest}, {5, 5});
  Must(order.Put(0, 5, sent[0]));
  CHECK(order.offsets() == std::vector<std::int64_t>{6, 5});
  Must(order.Put(1, 5, sent[3]));
  Must(order.Put(1, 6, sent[1]));
  Must(order.Put(1, 7, sent[3]));
  CHECK(order.offsets() == std::vector<std::int64_t>{6, 5});
  CHECK(order.WaitsFor() == 0);
  CHECK_FALSE(Must(order.Next()));
  CHECK(order.repeated() == 3);
  Must(order.Put(0, 6, sent[2]));
  CHECK(Must(order.Next()) == sent[2]);
  CHECK(Must(order.Next()) == sent[3]);
  CHECK(order.offsets() == std::vector<std::int64_t>{7, 6});
}

}  // namespace
}  // namespace longtail::examples
