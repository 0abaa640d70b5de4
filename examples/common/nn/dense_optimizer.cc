#include "examples/common/nn/dense_optimizer.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "absl/strings/str_cat.h"
#include "examples/common/nn/counter_random.h"
#include "examples/common/nn/flat_blob.h"

namespace longtail::examples {
namespace {

std::size_t SlotCount(const DenseOptimizerSpec& spec) {
  if (std::holds_alternative<DenseAdam>(spec.rule)) return 2;
  if (std::holds_alternative<DenseAdagrad>(spec.rule)) return 1;
  return std::get<DenseSgd>(spec.rule).momentum > 0 ? 1 : 0;
}

// Written so that NaN fails.
absl::Status CheckAtLeast(const char* field, float value, float low) {
  if (value >= low && value <= std::numeric_limits<float>::max()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("dense optimizer: ", field, " ", value,
                                                 ": want a finite number of at least ", low));
}

absl::Status CheckPositive(const char* field, float value) {
  if (value > 0 && value <= std::numeric_limits<float>::max()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("dense optimizer: ", field, " ", value, ": want a finite number above 0"));
}

absl::Status CheckFraction(const char* field, float value) {
  if (value >= 0 && value < 1) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("dense optimizer: ", field, " ", value, ": want 0 <= ", field, " < 1"));
}

absl::Status CheckRule(const DenseSgd& rule) {
  absl::Status status = CheckPositive("learning_rate", rule.learning_rate);
  status.Update(CheckFraction("momentum", rule.momentum));
  return status;
}

absl::Status CheckRule(const DenseAdagrad& rule) {
  absl::Status status = CheckPositive("learning_rate", rule.learning_rate);
  status.Update(CheckAtLeast("initial_sum", rule.initial_sum, 0));
  status.Update(CheckPositive("epsilon", rule.epsilon));
  return status;
}

absl::Status CheckRule(const DenseAdam& rule) {
  absl::Status status = CheckPositive("learning_rate", rule.learning_rate);
  status.Update(CheckFraction("beta1", rule.beta1));
  status.Update(CheckFraction("beta2", rule.beta2));
  status.Update(CheckPositive("epsilon", rule.epsilon));
  return status;
}

}  // namespace

absl::Status Validate(const DenseOptimizerSpec& spec) {
  absl::Status status = std::visit([](const auto& rule) { return CheckRule(rule); }, spec.rule);
  status.Update(CheckAtLeast("weight_decay", spec.weight_decay, 0));
  status.Update(CheckAtLeast("gradient_clip", spec.gradient_clip, 0));
  return status;
}

absl::StatusOr<std::unique_ptr<DenseOptimizer>> DenseOptimizer::Make(
    const DenseOptimizerSpec& spec, const ParameterLayout& layout) {
  if (absl::Status status = Validate(spec); !status.ok()) return status;
  return std::unique_ptr<DenseOptimizer>(new DenseOptimizer(spec, layout));
}

DenseOptimizer::DenseOptimizer(const DenseOptimizerSpec& spec, const ParameterLayout& layout)
    : spec_(spec), layout_(layout), slots_(SlotCount(spec) * layout.size()) {
  if (const auto* adagrad = std::get_if<DenseAdagrad>(&spec_.rule)) {
    std::ranges::fill(slots_.span(), adagrad->initial_sum);
  }
}

AdamConstants AdamConstantsAt(const DenseAdam& spec, std::uint64_t step, float factor) {
  // In double: 1 - beta2^t of a late step has no digits left in float.
  const auto t = static_cast<double>(step);
  const double correction1 = 1 - std::pow(static_cast<double>(spec.beta1), t);
  const double correction2 = 1 - std::pow(static_cast<double>(spec.beta2), t);
  const double rate = static_cast<double>(spec.learning_rate) * static_cast<double>(factor);
  return {.rate = static_cast<float>(rate / correction1),
          .root_correction = static_cast<float>(1 / std::sqrt(correction2)),
          .beta1 = spec.beta1,
          .beta2 = spec.beta2,
          .epsilon = spec.epsilon};
}

void DenseOptimizer::BeginStep(float learning_rate_factor) {
  ++step_;
  factor_ = learning_rate_factor;
  const auto* adam = std::get_if<DenseAdam>(&spec_.rule);
  if (adam != nullptr) adam_ = AdamConstantsAt(*adam, step_, factor_);
}

void DenseOptimizer::Update(Slice slice, std::span<const float> gradients,
                            std::span<float> weights) {
  for (const Tensor& tensor : layout_.tensors()) {
    const Slice part{std::max(slice.begin, tensor.offset),
                     std::min(slice.end, tensor.offset + tensor.size)};
    if (part.begin >= part.end) continue;
    const float decay = tensor.decay == Decay::kYes ? spec_.weight_decay : 0;
    UpdateTensor(part, decay, gradients.data(), weights.data());
  }
}

// Plain loops on purpose: the compiler vectorises them for whatever the target has.
void DenseOptimizer::UpdateTensor(Slice slice, float decay, const float* gradients,
                                  float* weights) {
  const float clip =
      spec_.gradient_clip > 0 ? spec_.gradient_clip : std::numeric_limits<float>::infinity();
  const auto gradient = [=](std::size_t i) {
    return dense::ShapedGradient(gradients[i], weights[i], clip, decay);
  };
  float* slot0 = slots_.data();
  float* slot1 = slot0 + layout_.size();
  if (std::holds_alternative<DenseAdam>(spec_.rule)) {
    const AdamConstants constants = adam_;
    for (std::size_t i = slice.begin; i < slice.end; ++i) {
      AdamStep(constants, gradient(i), weights[i], slot0[i], slot1[i]);
    }
  } else if (const auto* adagrad = std::get_if<DenseAdagrad>(&spec_.rule)) {
    const float rate = adagrad->learning_rate * factor_;
    const float epsilon = adagrad->epsilon;
    for (std::size_t i = slice.begin; i < slice.end; ++i) {
      AdagradStep(rate, epsilon, gradient(i), weights[i], slot0[i]);
    }
  } else {
    const DenseSgd sgd = std::get<DenseSgd>(spec_.rule);
    const float rate = sgd.learning_rate * factor_;
    if (sgd.momentum > 0) {
      for (std::size_t i = slice.begin; i < slice.end; ++i) {
        SgdMomentumStep(rate, sgd.momentum, gradient(i), weights[i], slot0[i]);
      }
    } else {
      for (std::size_t i = slice.begin; i < slice.end; ++i) SgdStep(rate, gradient(i), weights[i]);
    }
  }
}

std::uint64_t DenseOptimizer::Fingerprint() const {
  return StreamKey(layout_.fingerprint(), spec_.rule.index());
}

std::string DenseOptimizer::Serialize() const {
  return EncodeFlatBlob(
      {.magic = {'L', 'T', 'D', 'O'}, .fingerprint = Fingerprint(), .step = step_}, slots_.span());
}

absl::Status DenseOptimizer::Restore(std::string_view bytes) {
  return DecodeFlatBlob(bytes, {.magic = {'L', 'T', 'D', 'O'}, .fingerprint = Fingerprint()}, step_,
                        slots_.span());
}

}  // namespace longtail::examples
