#include "examples/ctr/count_threshold.h"

#include <cstddef>

#include "base/status_macros.h"
#include "examples/ctr/backoff.h"

namespace longtail::examples {

absl::StatusOr<CountThreshold> CountThreshold::Make(std::uint32_t below, BatchPipeline& batches) {
  CountThreshold threshold(below);
  Batch batch;
  for (;;) {
    LONGTAIL_RETURN_IF_ERROR(batches.Next(batch));
    if (batch.size == 0) return threshold;
    for (const Key key : batch.keys) ++threshold.counts_[key];
  }
}

std::uint32_t CountThreshold::CountOf(Key key) const {
  const auto found = counts_.find(key);
  return found == counts_.end() ? 0 : found->second;
}

void CountThreshold::CountsOf(const Batch& batch, std::vector<std::uint32_t>& counts) const {
  counts.clear();
  for (const Key key : batch.keys) counts.push_back(CountOf(key));
}

void CountThreshold::Apply(Batch& batch) const {
  for (std::size_t e = 0; e < batch.size; ++e) {
    for (std::uint32_t f = 0; f < batch.field_count; ++f) {
      const std::size_t place = e * batch.field_count + f;
      for (std::uint32_t i = batch.offsets[place]; i < batch.offsets[place + 1]; ++i) {
        if (CountOf(batch.keys[i]) < below_) batch.keys[i] = BackoffKey(f);
      }
    }
  }
}

}  // namespace longtail::examples
