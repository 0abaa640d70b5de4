// GAUC: the AUC within each group (a user, a session), averaged.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "examples/common/metrics/scored_example.h"

namespace longtail::examples {

/// The mean AUC of the groups that have both classes, and how many have not.
struct GroupAuc {
  std::optional<double> value{};      ///< Absent if no group has both classes.
  std::uint64_t group_count = 0;      ///< Groups with both classes: those averaged.
  std::uint64_t one_class_count = 0;  ///< Groups of one class: skipped, they rank nothing.
  std::uint64_t example_count = 0;    ///< Examples in the groups averaged: the sum of the weights.

  friend bool operator==(const GroupAuc&, const GroupAuc&) = default;
};

/// An example and the group it belongs to.
struct GroupedExample {
  std::uint64_t group = 0;
  PackedExample example = 0;

  friend auto operator<=>(const GroupedExample&, const GroupedExample&) = default;
};

/// Measures examples sorted by group, then by example:
///
///   GAUC = sum(n_g * AUC_g) / sum(n_g)    over the groups g with both classes, of n_g examples
///
/// Shapes: sorted [n], ascending.
/// Cost:   one pass, and a buffer of the largest group.
/// Source: Zhu et al., "Optimized Cost per Click in Taobao Display Advertising", KDD 2017, which
///         weights by impressions or clicks; by impressions, as in Zhou et al., "Deep Interest
///         Network for Click-Through Rate Prediction", KDD 2018.
[[nodiscard]] GroupAuc MeasureGroups(std::span<const GroupedExample> sorted);

}  // namespace longtail::examples
