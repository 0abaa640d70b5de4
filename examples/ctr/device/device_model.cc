#include "examples/ctr/device/device_model.h"

#include <algorithm>
#include <numeric>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "examples/common/nn/counter_random.h"
#include "examples/ctr/device/device_dcn_v2.h"
#include "examples/ctr/device/device_dlrm.h"
#include "examples/ctr/device/device_factor_model.h"

namespace longtail::examples {
namespace {

constexpr absl::Duration kCopyWaitMax = absl::Minutes(1);

// The widest run of columns that is summed, or layer that is computed.
std::size_t WidestOf(const ModelSpec& spec) {
  const std::size_t vectors = std::size_t{spec.field_count} + 1;
  std::size_t widest = std::max<std::size_t>(
      {std::size_t{spec.field_count} * spec.dim + spec.numeric_count, vectors * spec.dim,
       std::size_t{spec.numeric_count} * spec.dim, spec.dim + vectors * (vectors - 1) / 2, 1});
  for (const std::uint32_t width : spec.hidden) widest = std::max<std::size_t>(widest, width);
  for (const std::uint32_t width : spec.bottom) widest = std::max<std::size_t>(widest, width);
  return widest;
}

absl::Status CheckCovered(const ModelSpec& spec) {
  LONGTAIL_RETURN_IF_ERROR(Validate(spec));
  if (spec.batch_norm) {
    return absl::UnimplementedError(
        absl::StrCat("model '", spec.name,
                     "' with batch_norm: devices have no kernel for it; "
                     "train without --device, or without batch_norm"));
  }
  const std::uint64_t floats = std::uint64_t{spec.batch_max} * WidestOf(spec);
  if (floats <= device::kItemsMax) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("model '", spec.name, "': ", spec.batch_max, " examples of ", WidestOf(spec),
                   " floats: want at most ", device::kItemsMax, " floats of a step in a layer"));
}

std::unique_ptr<DeviceModel> MakeOfKind(const ModelSpec& spec, const ParameterLayout& layout,
                                        const DeviceCut& cut, DeviceArena& arena) {
  switch (KindOf(spec)) {
    case ModelKind::kDcnV2:
      return std::make_unique<DeviceDcnV2>(spec, layout, cut, arena);
    case ModelKind::kDlrm:
      return std::make_unique<DeviceDlrm>(spec, layout, cut, arena);
    case ModelKind::kLr:
    case ModelKind::kFm:
    case ModelKind::kWideDeep:
    case ModelKind::kDeepFm:
      break;
  }
  return std::make_unique<DeviceFactorModel>(spec, layout, cut, arena);
}

device::Pooling PoolingOf(const ModelSpec& spec) {
  return spec.pooling == Pooling::kMean ? device::Pooling::kMean : device::Pooling::kSum;
}

}  // namespace

DeviceModel::DeviceModel(const ModelSpec& spec, const ParameterLayout& layout, const DeviceCut& cut,
                         DeviceArena&)
    : spec_(spec),
      cut_(cut),
      dim_(KindOf(spec) == ModelKind::kLr ? 0 : spec.dim),
      bias_offset_(OffsetOf(layout, "bias")),
      parameter_count_(layout.size()),
      embedding_dropout_(spec.embedding_dropout, NameBits("embeddings")) {}

absl::StatusOr<std::unique_ptr<DeviceModel>> MakeDeviceModel(device::Device& device,
                                                             device::Stream& stream,
                                                             const ModelSpec& spec,
                                                             const ParameterLayout& layout,
                                                             std::uint32_t keys_max) {
  LONGTAIL_RETURN_IF_ERROR(CheckCovered(spec));
  const auto rows_max = static_cast<std::uint32_t>(spec.batch_max);
  const DeviceCut cut = CutFor(device, rows_max);
  auto arena = std::make_unique<DeviceArena>(device);
  std::unique_ptr<DeviceModel> model = MakeOfKind(spec, layout, cut, *arena);
  model->scratch_ = arena->Take((rows_max / kBlockRows + 1) * WidestOf(spec));
  model->identity_ = reinterpret_cast<std::uint32_t*>(arena->Take(rows_max));
  LONGTAIL_RETURN_IF_ERROR(arena->status());
  LONGTAIL_ASSIGN_OR_RETURN(
      device::GradientSums sums,
      device::GradientSums::Make(device, {.unique_max = keys_max, .long_above = cut.long_above}));
  model->sums_ = std::make_unique<device::GradientSums>(std::move(sums));
  model->arena_ = std::move(arena);
  std::vector<std::uint32_t> numbers(rows_max);
  std::iota(numbers.begin(), numbers.end(), 0U);
  stream.Copy(model->identity_, numbers.data(), numbers.size() * sizeof(numbers[0]));
  LONGTAIL_RETURN_IF_ERROR(stream.Finish(kCopyWaitMax));
  return model;
}

void DeviceModel::Enqueue(device::Stream& stream, const DeviceStep& step,
                          const device::StepRoom& room, const float* parameters, float* gradients) {
  room_ = &room;
  const std::size_t n = room.shape().examples;
  const DevicePass pass{.stream = &stream,
                        .parameters = parameters,
                        .gradients = gradients,
                        .scratch = scratch_,
                        .scalars = room.device().scalars,
                        .context = {.training = true}};
  const auto for_blocks = [&](auto&& f) {
    for (std::size_t begin = 0; begin < n; begin += cut_.block_rows) {
      f(RowBlock{begin, std::min<std::size_t>(cut_.block_rows, n - begin)});
    }
  };
  float* const logits = room.device().logits;
  const float* const logit_gradients = room.logit_gradients();
  std::optional<device::Range> range;
  range.emplace(step.ranges, "forward");
  stream.Fill(gradients, 0, parameter_count_ * sizeof(float));
  stream.Fill(logits, 0, n * sizeof(float));
  stream.Launch(device::BiasCall{.y = logits,
                                 .bias = parameters + bias_offset_,
                                 .rows = static_cast<std::uint32_t>(n),
                                 .columns = 1});
  for_blocks([&](RowBlock block) { ForwardBlock(pass, block, logits + block.begin); });
  stream.Launch(device::LogisticLossCall{.logits = logits,
                                         .labels = room.device().labels,
                                         .gradients = room.logit_gradients(),
                                         .losses = room.example_losses(),
                                         .scale = step.gradient_scale,
                                         .count = static_cast<std::uint32_t>(n)});
  stream.Launch(device::SumPartsCall{.values = room.example_losses(),
                                     .sums = room.device().losses,
                                     .count = static_cast<std::uint32_t>(n),
                                     .part_size = device::kLossPartSize});
  range.emplace(step.ranges, "backward");
  for_blocks([&](RowBlock block) { BackwardBlock(pass, block, logit_gradients + block.begin); });
  AddWholeGradients(pass, logit_gradients);
  SumRowGradients(pass);
}

void DeviceModel::Gather(const DevicePass& pass, RowBlock block, Matrix embeddings,
                         float* logits) const {
  const device::StepArrays& arrays = room_->device();
  const std::size_t first_bag = block.begin * spec_.field_count;
  device::Bags bags = room_->bags();
  bags.examples = static_cast<std::uint32_t>(block.count);
  const std::uint32_t* inverse = arrays.inverse;
  if (bags.offsets != nullptr) {
    bags.offsets += first_bag;
  } else {
    inverse += first_bag;
  }
  const std::uint32_t skip = HasLinear(spec_) ? 1 : 0;
  if (skip != 0) {
    pass.stream->Launch(device::PoolLinearCall{.rows = arrays.rows,
                                               .inverse = inverse,
                                               .bags = bags,
                                               .linear = logits,
                                               .row_stride = dim_ + skip});
  }
  if (dim_ == 0) return;
  pass.stream->Launch(
      device::PoolCall{.rows = arrays.rows + skip,
                       .inverse = inverse,
                       .bags = bags,
                       .pooled = embeddings.data,
                       .row_stride = dim_ + skip,
                       .pooled_stride = static_cast<std::uint32_t>(embeddings.stride),
                       .dim = dim_,
                       .pooling = PoolingOf(spec_)});
  if (embedding_dropout_.active(pass.context)) {
    EnqueueDropout(pass, embedding_dropout_, block.begin, embeddings);
  }
}

void DeviceModel::AddBiasGradients(const DevicePass& pass, RowBlock block,
                                   const float* logit_gradients) const {
  EnqueueColumnSums(pass, {logit_gradients, block.count, 1, 1}, pass.gradients + bias_offset_);
}

void DeviceModel::DropGradients(const DevicePass& pass, RowBlock block,
                                Matrix embedding_gradients) const {
  if (!embedding_dropout_.active(pass.context)) return;
  EnqueueDropout(pass, embedding_dropout_, block.begin, embedding_gradients);
}

Matrix DeviceModel::Numbers(RowBlock block) const {
  const std::size_t count = spec_.numeric_count;
  return WholeMatrix(room_->device().numbers + block.begin * count, block.count, count);
}

void DeviceModel::SumRowGradients(const DevicePass& pass) {
  const device::StepArrays& arrays = room_->device();
  const device::StepShape& shape = room_->bounds();
  const device::Bags bags = room_->bags();
  if (shape.has_offsets) {
    pass.stream->Launch(device::BagsOfKeysCall{.bags = bags, .bags_of = room_->bags_of()});
  }
  const std::uint32_t skip = HasLinear(spec_) ? 1 : 0;
  device::SegmentSumCall sum{.bags = bags,
                             .bags_of = shape.has_offsets ? room_->bags_of() : nullptr,
                             .positions = arrays.positions,
                             .begins = arrays.begins,
                             .unique_count = arrays.unique_count,
                             .unique_max = shape.unique,
                             .sum_stride = dim_ + skip};
  if (dim_ != 0) {
    const ConstMatrix gradients = EmbeddingGradients();
    sum.gradients = gradients.data;
    sum.sums = arrays.row_gradients + skip;
    sum.stride = static_cast<std::uint32_t>(gradients.stride);
    sum.field_stride = dim_;
    sum.dim = dim_;
    sum.pooling = PoolingOf(spec_);
    sums_->Sum(*pass.stream, sum, shape.keys);
  }
  if (skip == 0) return;
  sum.gradients = room_->logit_gradients();
  sum.sums = arrays.row_gradients;
  sum.stride = 1;
  sum.field_stride = 0;
  sum.dim = 1;
  sum.pooling = device::Pooling::kSum;
  sums_->Sum(*pass.stream, sum, shape.keys);
}

}  // namespace longtail::examples
