#include "examples/ctr/row_vector.h"

#include <algorithm>

#include "base/status_macros.h"

namespace longtail::examples {

void RowVector::AddKeys(Key first, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) keys_.push_back(first + i);
}

absl::Status RowVector::Prepare(Worker& worker, TableId table) {
  LONGTAIL_RETURN_IF_ERROR(worker.Prepare(table, keys_, batch_));
  rows_.assign(keys_.size() * kDim, 0.0F);
  return absl::OkStatus();
}

void RowVector::Put(std::span<const float> floats, std::size_t first) {
  for (std::size_t at = 0; at < floats.size(); at += kDim) {
    const std::size_t n = std::min<std::size_t>(kDim, floats.size() - at);
    std::ranges::copy(floats.subspan(at, n), Row(first + at / kDim).begin());
  }
}

}  // namespace longtail::examples
