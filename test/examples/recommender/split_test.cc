#include "examples/recommender/split.h"

#include <catch2/catch.hpp>
#include <vector>

#include "examples/recommender/small_data.h"

namespace longtail::examples::recommender {
namespace {

using test::Need;
using Items = std::vector<std::uint32_t>;

Items ItemsOf(const std::vector<Interaction>& interactions) {
  Items items;
  for (const Interaction& i : interactions) items.push_back(i.item);
  return items;
}

TEST_CASE("leave one out takes the last two of each user by time",
          "[examples][recommender][split]") {
  // User 0's are out of order; of equal times the file's order counts. User 1 has two: all stay.
  const SplitInteractions split = Need(Split({.rule = SplitRule::kLeaveOneOut}, 2,
                                             {{.user = 0, .item = 10, .time = 9},
                                              {.user = 0, .item = 11, .time = 3},
                                              {.user = 1, .item = 20, .time = 5},
                                              {.user = 0, .item = 12, .time = 9},
                                              {.user = 1, .item = 21, .time = 1},
                                              {.user = 0, .item = 13, .time = 4}}));
  CHECK(ItemsOf(split.train) == Items{21, 11, 13, 20});
  CHECK(ItemsOf(split.validation) == Items{10});
  CHECK(ItemsOf(split.test) == Items{12});
}

TEST_CASE("without times the order of lines counts", "[examples][recommender][split]") {
  const SplitInteractions split =
      Need(Split({.rule = SplitRule::kLeaveOneOut}, 1,
                 {{.user = 0, .item = 3}, {.user = 0, .item = 1}, {.user = 0, .item = 2}}));
  CHECK(ItemsOf(split.train) == Items{3});
  CHECK(ItemsOf(split.validation) == Items{1});
  CHECK(ItemsOf(split.test) == Items{2});
}

TEST_CASE("a split by time has nothing in training that is later than its test",
          "[examples][recommender][split]") {
  std::vector<Interaction> interactions;
  for (std::uint32_t i = 0; i < 20; ++i) {
    interactions.push_back({.user = i % 3, .item = i, .time = (i * 7) % 20});
  }
  const SplitInteractions split =
      Need(Split({.rule = SplitRule::kTime, .validation_fraction = 0.1, .test_fraction = 0.25}, 3,
                 interactions));
  REQUIRE(split.train.size() == 13);
  REQUIRE(split.validation.size() == 2);
  REQUIRE(split.test.size() == 5);
  CHECK(split.train.back().time == 12);
  CHECK(split.validation.front().time == 13);
  CHECK(split.test.front().time == 15);
}

TEST_CASE("folds are equal runs of lines and cover each once", "[examples][recommender][split]") {
  std::vector<Interaction> interactions(10);
  for (std::uint32_t i = 0; i < 10; ++i) interactions[i].item = i;
  const SplitInteractions second =
      Need(Split({.rule = SplitRule::kFold, .fold = 2, .folds = 5}, 1, interactions));
  CHECK(ItemsOf(second.test) == Items{2, 3});
  CHECK(ItemsOf(second.train) == Items{0, 1, 4, 5, 6, 7, 8, 9});
  Items all;
  for (std::uint32_t fold = 1; fold <= 3; ++fold) {
    const auto split =
        Need(Split({.rule = SplitRule::kFold, .fold = fold, .folds = 3}, 1, interactions));
    for (const std::uint32_t item : ItemsOf(split.test)) all.push_back(item);
  }
  CHECK(all == Items{0, 1, 2, 3, 4, 5, 6, 7, 8, 9});
}

TEST_CASE("splits that cannot be are refused by name", "[examples][recommender][split]") {
  const auto by_time =
      Split({.rule = SplitRule::kTime, .validation_fraction = 0.6, .test_fraction = 0.5}, 0, {});
  CHECK(by_time.status().message() ==
        "split by time: validation_fraction 0.6 and test_fraction 0.5; wanted 0 or more, above 0, "
        "and a sum below 1");
  const auto by_fold = Split({.rule = SplitRule::kFold, .fold = 6, .folds = 5}, 0, {});
  CHECK(by_fold.status().message() ==
        "split: fold 6 of 5; wanted 2 folds or more, and one of them from 1 up");
}

}  // namespace
}  // namespace longtail::examples::recommender
