#include "examples/common/nn/parameters.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <utility>

#include "examples/common/nn/counter_random.h"
#include "examples/common/nn/flat_blob.h"

namespace longtail::examples {
namespace {

FlatBlobHeader Header(const ParameterLayout& layout) {
  return {.magic = {'L', 'T', 'D', 'P'}, .fingerprint = layout.fingerprint()};
}

float Bound(const Tensor& tensor) {
  const auto fan_in = static_cast<float>(tensor.shape.front());
  const auto fan_out = static_cast<float>(tensor.shape.back());
  switch (tensor.initializer.kind) {
    case InitializerKind::kHeUniform:
      return tensor.initializer.scale * std::sqrt(6 / fan_in);
    case InitializerKind::kXavierUniform:
      return tensor.initializer.scale * std::sqrt(6 / (fan_in + fan_out));
    case InitializerKind::kConstant:
    case InitializerKind::kUniform:
      break;
  }
  return tensor.initializer.scale;
}

void Fill(const Tensor& tensor, std::uint64_t seed, std::span<float> values) {
  if (tensor.initializer.kind == InitializerKind::kConstant) {
    std::ranges::fill(values, tensor.initializer.scale);
    return;
  }
  const float bound = Bound(tensor);
  const std::uint64_t stream = StreamKey(seed, NameBits(tensor.name));
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = bound * (2 * UnitUniform(StreamKey(stream, i)) - 1);
  }
}

}  // namespace

std::size_t ParameterLayout::Add(Tensor tensor) {
  assert(!tensor.shape.empty() && Find(tensor.name) == nullptr);
  tensor.size = 1;
  for (const std::size_t extent : tensor.shape) tensor.size *= extent;
  tensor.offset = size_;
  size_ += PaddedToLine(tensor.size);
  tensors_.push_back(std::move(tensor));
  return tensors_.back().offset;
}

std::uint64_t ParameterLayout::fingerprint() const {
  std::uint64_t bits = size_;
  for (const Tensor& tensor : tensors_) {
    bits = StreamKey(bits, NameBits(tensor.name));
    bits = StreamKey(bits, tensor.offset);
    for (const std::size_t extent : tensor.shape) bits = StreamKey(bits, extent);
  }
  return bits;
}

const Tensor* ParameterLayout::Find(std::string_view name) const {
  const auto found = std::ranges::find(tensors_, name, &Tensor::name);
  return found == tensors_.end() ? nullptr : &*found;
}

Parameters::Parameters(ParameterLayout layout, std::uint64_t seed)
    : layout_(std::move(layout)), values_(layout_.size()) {
  for (const Tensor& tensor : layout_.tensors()) {
    Fill(tensor, seed, values().subspan(tensor.offset, tensor.size));
  }
}

std::span<const float> Parameters::Values(std::string_view name) const {
  const Tensor* tensor = layout_.Find(name);
  return tensor == nullptr ? std::span<const float>()
                           : values().subspan(tensor->offset, tensor->size);
}

std::string Parameters::Serialize() const {
  return EncodeFlatBlob(Header(layout_), values());
}

absl::Status Parameters::Restore(std::string_view bytes) {
  std::uint64_t step = 0;
  return DecodeFlatBlob(bytes, Header(layout_), step, values());
}

}  // namespace longtail::examples
