#include "examples/common/nn/dropout.h"

#include "base/dropout_mask.h"
#include "examples/common/nn/counter_random.h"

namespace longtail::examples {

Dropout::Dropout(float rate, std::uint64_t layer)
    : rate_(rate),
      scale_(1 / (1 - rate)),
      drop_below_(static_cast<std::uint32_t>(static_cast<double>(rate) * 0x1p32)),
      layer_(layer) {}

std::uint64_t Dropout::StreamOf(const StepContext& context) const {
  return StreamKey(StreamKey(context.seed, context.step), layer_);
}

void Dropout::Apply(const StepContext& context, std::size_t first_row, Matrix y) const {
  const std::uint64_t stream = StreamOf(context);
  for (std::size_t i = 0; i < y.rows; ++i) {
    const std::uint64_t key = DropoutKey(stream, context.first_example + first_row + i);
    float* row = y.row(i);
    for (std::size_t j = 0; j < y.columns; ++j) {
      const std::uint32_t bits = DropoutBits(key, static_cast<std::uint32_t>(j));
      const float kept = row[j] * scale_;
      row[j] = bits >= drop_below_ ? kept : 0;
    }
  }
}

}  // namespace longtail::examples
