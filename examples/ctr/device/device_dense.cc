#include "examples/ctr/device/device_dense.h"

#include <limits>
#include <variant>

#include "base/status_macros.h"

namespace longtail::examples {
namespace {

// How long the host waits for a copy of all parameters, behind what the stream has yet to do.
constexpr absl::Duration kCopyWaitMax = absl::Minutes(5);

}  // namespace

absl::StatusOr<std::unique_ptr<DeviceDense>> DeviceDense::Make(device::Device& device,
                                                               const DenseOptimizerSpec& spec,
                                                               const ParameterLayout& layout) {
  LONGTAIL_ASSIGN_OR_RETURN(const auto optimizer, DenseOptimizer::Make(spec, layout));
  std::unique_ptr<DeviceDense> dense(new DeviceDense(device, spec, layout));
  dense->slot_floats_ = optimizer->slots().size();
  dense->parameters_ = dense->arena_.Take(layout.size());
  dense->gradients_ = dense->arena_.Take(layout.size());
  dense->slots_ = dense->arena_.Take(dense->slot_floats_);
  LONGTAIL_RETURN_IF_ERROR(dense->arena_.status());
  return dense;
}

absl::Status DeviceDense::Load(device::Stream& stream, const Parameters& parameters,
                               DenseOptimizer& optimizer) {
  step_ = optimizer.step();
  stream.Copy(parameters_, parameters.values().data(), layout_.size() * sizeof(float));
  stream.Copy(slots_, optimizer.slots().data(), slot_floats_ * sizeof(float));
  return stream.Finish(kCopyWaitMax);
}

absl::Status DeviceDense::Save(device::Stream& stream, Parameters& parameters,
                               DenseOptimizer& optimizer) const {
  optimizer.set_step(step_);
  stream.Copy(parameters.values().data(), parameters_, layout_.size() * sizeof(float));
  stream.Copy(optimizer.slots().data(), slots_, slot_floats_ * sizeof(float));
  return stream.Finish(kCopyWaitMax);
}

void DeviceDense::BeginStep(float learning_rate_factor, device::StepScalars& scalars) {
  ++step_;
  if (const auto* adam = std::get_if<DenseAdam>(&spec_.rule)) {
    const AdamConstants constants = AdamConstantsAt(*adam, step_, learning_rate_factor);
    scalars.learning_rate = constants.rate;
    scalars.root_correction = constants.root_correction;
  } else if (const auto* adagrad = std::get_if<DenseAdagrad>(&spec_.rule)) {
    scalars.learning_rate = adagrad->learning_rate * learning_rate_factor;
  } else {
    scalars.learning_rate = std::get<DenseSgd>(spec_.rule).learning_rate * learning_rate_factor;
  }
}

void DeviceDense::Move(device::Stream& stream, const device::StepScalars* scalars,
                       float gradient_scale) const {
  const float clip =
      spec_.gradient_clip > 0 ? spec_.gradient_clip : std::numeric_limits<float>::infinity();
  const float* const rate = &scalars->learning_rate;
  for (const Tensor& tensor : layout_.tensors()) {
    const device::DenseSlice slice{.weights = parameters_ + tensor.offset,
                                   .gradients = gradients_ + tensor.offset,
                                   .scale = gradient_scale,
                                   .clip = clip,
                                   .decay = tensor.decay == Decay::kYes ? spec_.weight_decay : 0,
                                   .count = static_cast<std::uint32_t>(tensor.size)};
    float* const slot = slots_ + tensor.offset;
    if (const auto* adam = std::get_if<DenseAdam>(&spec_.rule)) {
      stream.Launch(device::DenseAdamCall{.slice = slice,
                                          .first = slot,
                                          .second = slot + layout_.size(),
                                          .rate = rate,
                                          .root_correction = &scalars->root_correction,
                                          .beta1 = adam->beta1,
                                          .beta2 = adam->beta2,
                                          .epsilon = adam->epsilon});
    } else if (const auto* adagrad = std::get_if<DenseAdagrad>(&spec_.rule)) {
      stream.Launch(device::DenseAdagradCall{
          .slice = slice, .sums = slot, .learning_rate = rate, .epsilon = adagrad->epsilon});
    } else if (const float momentum = std::get<DenseSgd>(spec_.rule).momentum; momentum > 0) {
      stream.Launch(device::DenseMomentumCall{
          .slice = slice, .velocities = slot, .learning_rate = rate, .momentum = momentum});
    } else {
      stream.Launch(device::DenseSgdCall{.slice = slice, .learning_rate = rate});
    }
  }
}

}  // namespace longtail::examples
