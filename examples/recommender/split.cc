#include "examples/recommender/split.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "absl/strings/str_cat.h"

namespace longtail::examples::recommender {
namespace {

// A user with fewer has nothing left to learn from.
constexpr std::uint32_t kLeaveOneOutMin = 3;

SplitInteractions LeaveOneOut(std::uint32_t user_count, std::vector<Interaction> interactions) {
  std::vector<std::uint32_t> left(user_count);
  for (const Interaction& i : interactions) ++left[i.user];
  std::vector<bool> is_divided(user_count);
  for (std::uint32_t u = 0; u < user_count; ++u) is_divided[u] = left[u] >= kLeaveOneOutMin;
  SplitInteractions split;
  for (const Interaction& i : interactions) {
    const std::uint32_t behind = --left[i.user];
    auto& part = !is_divided[i.user] || behind > 1 ? split.train
                 : behind == 1                     ? split.validation
                                                   : split.test;
    part.push_back(i);
  }
  return split;
}

}  // namespace

absl::StatusOr<SplitInteractions> Split(const SplitSpec& spec, std::uint32_t user_count,
                                        std::vector<Interaction> interactions) {
  SplitInteractions split;
  const auto by_time = [](const Interaction& a, const Interaction& b) { return a.time < b.time; };
  switch (spec.rule) {
    case SplitRule::kFiles:
      split.train = std::move(interactions);
      return split;
    case SplitRule::kLeaveOneOut:
      std::stable_sort(interactions.begin(), interactions.end(), by_time);
      return LeaveOneOut(user_count, std::move(interactions));
    case SplitRule::kTime: {
      const double held_out = spec.validation_fraction + spec.test_fraction;
      if (!(spec.validation_fraction >= 0 && spec.test_fraction > 0 && held_out < 1)) {
        return absl::InvalidArgumentError(absl::StrCat(
            "split by time: validation_fraction ", spec.validation_fraction, " and test_fraction ",
            spec.test_fraction, "; wanted 0 or more, above 0, and a sum below 1"));
      }
      std::stable_sort(interactions.begin(), interactions.end(), by_time);
      const auto size = static_cast<double>(interactions.size());
      const auto test = static_cast<std::ptrdiff_t>(size * (1 - spec.test_fraction));
      const auto validation = static_cast<std::ptrdiff_t>(size * (1 - held_out));
      const auto begin = interactions.begin();
      split.train.assign(begin, begin + validation);
      split.validation.assign(begin + validation, begin + test);
      split.test.assign(begin + test, interactions.end());
      return split;
    }
    case SplitRule::kFold: {
      if (spec.folds < 2 || spec.fold < 1 || spec.fold > spec.folds) {
        return absl::InvalidArgumentError(
            absl::StrCat("split: fold ", spec.fold, " of ", spec.folds,
                         "; wanted 2 folds or more, and one of them from 1 up"));
      }
      const std::size_t begin = interactions.size() * (spec.fold - 1) / spec.folds;
      const std::size_t end = interactions.size() * spec.fold / spec.folds;
      for (std::size_t i = 0; i < interactions.size(); ++i) {
        (i >= begin && i < end ? split.test : split.train).push_back(interactions[i]);
      }
      return split;
    }
  }
  return split;
}

}  // namespace longtail::examples::recommender
