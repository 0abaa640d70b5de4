#include "examples/ctr/rarest_feature.h"

#include <algorithm>
#include <cstddef>

#include "examples/common/metrics/evaluator.h"

namespace longtail::examples {
namespace {

std::uint32_t Rarest(std::uint32_t begin, std::uint32_t end, std::span<const std::uint32_t> inverse,
                     std::span<const std::uint32_t> counts) {
  std::uint32_t rarest = kCountAbsent;
  for (std::uint32_t i = begin; i < end; ++i) rarest = std::min(rarest, counts[inverse[i]]);
  return rarest;
}

}  // namespace

void FindRarest(const Batch& batch, std::span<const std::uint32_t> inverse,
                std::span<const std::uint32_t> counts, std::vector<std::uint32_t>& rarest) {
  rarest.clear();
  for (std::size_t e = 0; e < batch.size; ++e) {
    rarest.push_back(Rarest(batch.offsets[e * batch.field_count],
                            batch.offsets[(e + 1) * batch.field_count], inverse, counts));
  }
}

void FindRarestOfField(const Batch& batch, std::uint32_t field,
                       std::span<const std::uint32_t> inverse,
                       std::span<const std::uint32_t> counts, std::vector<std::uint32_t>& rarest) {
  rarest.clear();
  for (std::size_t e = 0; e < batch.size; ++e) {
    const std::size_t place = e * batch.field_count + field;
    rarest.push_back(Rarest(batch.offsets[place], batch.offsets[place + 1], inverse, counts));
  }
}

}  // namespace longtail::examples
