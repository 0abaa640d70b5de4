#include "examples/common/metrics/group_auc.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <vector>

#include "random_examples.h"

namespace longtail::examples {
namespace {

TEST_CASE("GAUC is the mean of each group's AUC by its size", "[metrics][property]") {
  const std::uint64_t seed = GENERATE(range<std::uint64_t>(0, 300));
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  const auto examples = test::RandomExamples(random, random() % 200, 9);
  std::map<std::uint64_t, std::vector<ScoredExample>> members;
  std::vector<GroupedExample> grouped;
  for (const ScoredExample& example : examples) {
    const std::uint64_t group = (random() % 23) << 59 | 77;
    members[group].push_back(example);
    grouped.push_back({group, Pack(example)});
  }
  std::ranges::sort(grouped);
  double weighted = 0;
  GroupAuc want;
  for (const auto& [group, group_examples] : members) {
    const std::optional<double> auc = test::SlowAuc(group_examples);
    if (!auc) {
      ++want.one_class_count;
      continue;
    }
    ++want.group_count;
    want.example_count += group_examples.size();
    weighted += *auc * static_cast<double>(group_examples.size());
  }

  const GroupAuc result = MeasureGroups(grouped);

  CHECK(result.group_count == want.group_count);
  CHECK(result.one_class_count == want.one_class_count);
  CHECK(result.example_count == want.example_count);
  CHECK(result.value.has_value() == (want.group_count > 0));
  if (result.value) {
    CHECK(*result.value == Approx(weighted / static_cast<double>(want.example_count)));
  }
}

TEST_CASE("a large group weighs more than a small one", "[metrics]") {
  std::vector<GroupedExample> grouped{
      {4, Pack({.score = 0.2F, .positive = false})}, {4, Pack({.score = 0.3F, .positive = true})},
      {9, Pack({.score = 0.1F, .positive = true})},  {9, Pack({.score = 0.2F, .positive = false})},
      {9, Pack({.score = 0.3F, .positive = false})}, {9, Pack({.score = 0.4F, .positive = false})},
      {11, Pack({.score = 0.9F, .positive = true})}};

  const GroupAuc result = MeasureGroups(grouped);

  CHECK(result.value == (2 * 1.0 + 4 * 0.0) / 6);
  CHECK(result.one_class_count == 1);
}

}  // namespace
}  // namespace longtail::examples
