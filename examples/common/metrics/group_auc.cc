#include "examples/common/metrics/group_auc.h"

#include <cstddef>
#include <vector>

#include "examples/common/metrics/auc.h"
#include "examples/common/metrics/pairwise_sum.h"

namespace longtail::examples {

GroupAuc MeasureGroups(std::span<const GroupedExample> sorted) {
  GroupAuc result;
  std::vector<double> weighted;
  std::vector<PackedExample> members;
  std::size_t begin = 0;
  while (begin < sorted.size()) {
    members.clear();
    std::size_t end = begin;
    for (; end < sorted.size() && sorted[end].group == sorted[begin].group; ++end) {
      members.push_back(sorted[end].example);
    }
    begin = end;
    const std::optional<double> auc = CountAucPairs(members).Value();
    if (!auc) {
      ++result.one_class_count;
      continue;
    }
    ++result.group_count;
    result.example_count += members.size();
    weighted.push_back(static_cast<double>(members.size()) * *auc);
  }
  if (result.group_count > 0) {
    result.value = PairwiseSum(0, weighted.size(), [&](std::size_t i) { return weighted[i]; }) /
                   static_cast<double>(result.example_count);
  }
  return result;
}

}  // namespace longtail::examples
