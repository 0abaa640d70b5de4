#include "examples/topics/alias_table.h"

namespace longtail::examples {
namespace {

constexpr std::uint32_t kAlways = 0xFFFFFFFF;

}  // namespace

void AliasTable::Build(std::span<const float> weights) {
  const std::size_t n = weights.size();
  slots_.resize(n);
  scaled_.resize(n);
  small_.clear();
  large_.clear();
  total_ = 0;
  for (const float weight : weights) total_ += weight;
  if (total_ <= 0) return;
  const auto scale = static_cast<float>(static_cast<double>(n) / total_);
  for (std::size_t i = 0; i < n; ++i) {
    scaled_[i] = weights[i] * scale;
    (scaled_[i] < 1 ? small_ : large_).push_back(static_cast<std::uint32_t>(i));
  }
  while (!small_.empty() && !large_.empty()) {
    const std::uint32_t less = small_.back();
    const std::uint32_t more = large_.back();
    small_.pop_back();
    slots_[less] = {.threshold = static_cast<std::uint32_t>(scaled_[less] * 0x1.0p32F),
                    .alias = more};
    scaled_[more] -= 1 - scaled_[less];
    if (scaled_[more] < 1) {
      large_.pop_back();
      small_.push_back(more);
    }
  }
  // What is left is 1 but for rounding.
  for (const auto* const rest : {&small_, &large_}) {
    for (const std::uint32_t i : *rest) slots_[i] = {.threshold = kAlways, .alias = i};
  }
}

}  // namespace longtail::examples
