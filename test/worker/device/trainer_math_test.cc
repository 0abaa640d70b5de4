// The kernels give the bits of the trainers' own code (examples/), where both take sums in one
// order: a training on a device is the same training.
#include <catch2/catch.hpp>
#include <cstdint>
#include <cstring>
#include <span>
#include <utility>
#include <vector>

#include "base/random.h"
#include "examples/common/nn/counter_random.h"
#include "examples/common/nn/dense_optimizer.h"
#include "examples/common/nn/dot_interaction.h"
#include "examples/common/nn/dropout.h"
#include "examples/common/nn/fm_interaction.h"
#include "examples/common/nn/logistic_loss.h"
#include "examples/common/nn/logit_head.h"
#include "examples/common/nn/relu.h"
#include "examples/ctr/models/field_gather.h"
#include "support/gen.h"
#include "worker/device/cpu_device.h"
#include "worker/device/distinct_keys.h"
#include "worker/device/kernel_list.h"

namespace longtail::device {
namespace {

using examples::AlignedBuffer;
using examples::Matrix;

AlignedBuffer Filled(Rng& rng, std::size_t size) {
  AlignedBuffer buffer(size);
  for (float& value : buffer.span()) value = rng.Uniform(-2, 2);
  return buffer;
}

AlignedBuffer Copied(const AlignedBuffer& from) {
  AlignedBuffer to(from.size());
  std::copy(from.span().begin(), from.span().end(), to.data());
  return to;
}

bool IsSame(std::span<const float> a, std::span<const float> b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size_bytes()) == 0;
}

template <typename Call>
void OnCpu(const Call& call) {
  Loops loops;
  Run(call, loops);
}

// A batch of both forms, gathered, and its gradients summed, by way of a device's deduplication.
TEST_CASE("pooled rows and summed gradients are those of FieldGather", "[device][trainer]") {
  const bool is_single = GENERATE(true, false);
  const auto dim = GENERATE(as<std::uint32_t>(), 1, 4, 10, 16);
  const auto pooling = GENERATE(examples::Pooling::kMean, examples::Pooling::kSum);
  CAPTURE(is_single, dim);
  constexpr std::uint32_t kExamples = 50, kFields = 4;
  constexpr std::uint32_t kBagCount = kExamples * kFields;
  Rng rng(dim);
  examples::Batch batch;
  batch.size = kExamples;
  batch.field_count = kFields;
  batch.offsets = {0};
  for (std::uint32_t bag = 0; bag < kBagCount; ++bag) {
    batch.offsets.push_back(batch.offsets.back() +
                            static_cast<std::uint32_t>(is_single ? 1 : rng.Below(4)));
  }
  const std::uint32_t key_count = batch.offsets.back();
  batch.keys = test::Keys(rng, key_count, 40);
  if (!is_single) batch.values = test::Floats(rng, key_count, 0.5F, 2);
  CpuDevice device({.streams = CpuStreams::kInline});
  const auto stream = device.MakeStream({.name = "sparse", .count_max = key_count}).value();
  DistinctKeys distinct = DistinctKeys::Make(device, key_count).value();
  distinct.Find(*stream, batch.keys.data(), key_count);
  const std::uint32_t unique = *distinct.unique_count();
  const std::uint32_t row_dim = dim + 1;
  const AlignedBuffer rows = Filled(rng, std::size_t{unique} * row_dim);
  const AlignedBuffer gradients = Filled(rng, std::size_t{kBagCount} * dim);
  const AlignedBuffer logit_gradients = Filled(rng, kExamples);
  const AlignedBuffer bias = Filled(rng, kExamples);

  const examples::FieldGather gather(
      {.field_count = kFields, .dim = dim, .has_linear = true, .pooling = pooling});
  const examples::SparseInput input{
      .batch = &batch, .rows = rows.span(), .inverse = {distinct.inverse(), key_count}};
  AlignedBuffer want_pooled(gradients.size());
  AlignedBuffer want_linear = Copied(bias);
  AlignedBuffer want_sums(rows.size());
  const std::size_t stride = kFields * dim;
  gather.Gather(input, is_single, {0, kExamples}, {want_pooled.data(), kExamples, stride, stride},
                want_linear.data());
  gather.Scatter(input, is_single, {0, kExamples}, {gradients.data(), kExamples, stride, stride},
                 logit_gradients.data(), want_sums.span());

  AlignedBuffer pooled(gradients.size());
  AlignedBuffer linear = Copied(bias);
  AlignedBuffer sums(rows.size());
  std::vector<std::uint32_t> bags_of(key_count);
  const Bags bags{.offsets = is_single ? nullptr : batch.offsets.data(),
                  .values = is_single ? nullptr : batch.values.data(),
                  .examples = kExamples,
                  .fields = kFields};
  const Pooling kind = pooling == examples::Pooling::kMean ? Pooling::kMean : Pooling::kSum;
  OnCpu(PoolCall{.rows = rows.data() + 1,
                 .inverse = distinct.inverse(),
                 .bags = bags,
                 .pooled = pooled.data(),
                 .row_stride = row_dim,
                 .pooled_stride = kFields * dim,
                 .dim = dim,
                 .pooling = kind});
  OnCpu(PoolLinearCall{.rows = rows.data(),
                       .inverse = distinct.inverse(),
                       .bags = bags,
                       .linear = linear.data(),
                       .row_stride = row_dim});
  if (!is_single) OnCpu(BagsOfKeysCall{.bags = bags, .bags_of = bags_of.data()});
  SegmentSumCall sum{.gradients = gradients.data(),
                     .bags = bags,
                     .bags_of = is_single ? nullptr : bags_of.data(),
                     .positions = distinct.positions(),
                     .begins = distinct.begins(),
                     .unique_count = distinct.unique_count(),
                     .sums = sums.data() + 1,
                     .unique_max = unique,
                     .stride = kFields * dim,
                     .field_stride = dim,
                     .sum_stride = row_dim,
                     .dim = dim,
                     .pooling = kind};
  OnCpu(sum);
  sum.gradients = logit_gradients.data();
  sum.sums = sums.data();
  sum.stride = 1;
  sum.field_stride = 0;
  sum.dim = 1;
  sum.pooling = Pooling::kSum;
  OnCpu(sum);

  CHECK(IsSame(pooled.span(), want_pooled.span()));
  CHECK(IsSame(linear.span(), want_linear.span()));
  CHECK(IsSame(sums.span(), want_sums.span()));
}

TEST_CASE("interactions are those of DLRM and of factorization machines", "[device][trainer]") {
  const auto dim = GENERATE(as<std::uint32_t>(), 3, 4, 8, 16, 32);
  CAPTURE(dim);
  constexpr std::uint32_t kExamples = 20, kVectors = 9;
  constexpr std::uint32_t kPairs = kVectors * (kVectors - 1) / 2;
  Rng rng(dim);
  const std::uint32_t columns = kVectors * dim;
  const std::uint32_t outputs = dim + kPairs;
  AlignedBuffer v = Filled(rng, std::size_t{kExamples} * columns);
  AlignedBuffer dy = Filled(rng, std::size_t{kExamples} * outputs);
  AlignedBuffer want_y(dy.size()), y(dy.size()), want_dv(v.size()), dv(v.size());
  examples::DotInteraction interaction(kVectors, dim);
  interaction.Forward(Matrix{v.data(), kExamples, columns, columns},
                      {want_y.data(), kExamples, outputs, outputs});
  interaction.Backward(Matrix{v.data(), kExamples, columns, columns},
                       Matrix{dy.data(), kExamples, outputs, outputs},
                       {want_dv.data(), kExamples, columns, columns});
  OnCpu(DotInteractionCall{.v = v.data(),
                           .y = y.data(),
                           .examples = kExamples,
                           .vectors = kVectors,
                           .dim = dim,
                           .v_stride = columns,
                           .y_stride = outputs});
  OnCpu(DotGradientCall{.v = v.data(),
                        .dy = dy.data(),
                        .dv = dv.data(),
                        .examples = kExamples,
                        .vectors = kVectors,
                        .dim = dim,
                        .v_stride = columns,
                        .y_stride = outputs});
  CHECK(IsSame(y.span(), want_y.span()));
  CHECK(IsSame(dv.span(), want_dv.span()));

  constexpr std::uint32_t kNumbers = 3;
  const AlignedBuffer vectors = Filled(rng, kNumbers * dim);
  const AlignedBuffer scales = Filled(rng, kExamples * kNumbers);
  AlignedBuffer parts(kNumbers * dim), want_parts(kNumbers * dim);
  const AlignedBuffer logit_gradients = Filled(rng, kExamples);
  AlignedBuffer want_logits = Filled(rng, kExamples);
  AlignedBuffer logits = Copied(want_logits);
  AlignedBuffer sums(std::size_t{kExamples} * dim), want_sums(sums.size());
  AlignedBuffer want_pairs = Copied(dv), pairs = Copied(dv);
  for (std::uint32_t e = 0; e < kExamples; ++e) {
    std::vector<float> squares(dim);
    float* const sum = want_sums.data() + e * dim;
    examples::FmAccumulate<0>(v.data() + e * columns, nullptr, kVectors, dim, sum, squares.data());
    examples::FmAccumulate<0>(vectors.data(), scales.data() + e * kNumbers, kNumbers, dim, sum,
                              squares.data());
    want_logits.data()[e] += examples::FmValue<0>(sum, squares.data(), dim);
    examples::FmBackward<0>(v.data() + e * columns, sum, logit_gradients.data()[e], kVectors, dim,
                            want_pairs.data() + e * columns);
    examples::FmScaledBackward<0>(vectors.data(), scales.data() + e * kNumbers, sum,
                                  logit_gradients.data()[e], kNumbers, dim, want_parts.data());
  }
  const SharedVectors shared{.vectors = vectors.data(), .scales = scales.data(), .count = kNumbers};
  OnCpu(PairSumsCall{.v = v.data(),
                     .sums = sums.data(),
                     .logits = logits.data(),
                     .shared = shared,
                     .examples = kExamples,
                     .fields = kVectors,
                     .dim = dim,
                     .v_stride = columns});
  OnCpu(PairGradientsCall{.v = v.data(),
                          .sums = sums.data(),
                          .logit_gradients = logit_gradients.data(),
                          .dv = pairs.data(),
                          .examples = kExamples,
                          .fields = kVectors,
                          .dim = dim,
                          .v_stride = columns,
                          .dv_stride = columns});
  OnCpu(SharedGradientPartsCall{.shared = shared,
                                .sums = sums.data(),
                                .logit_gradients = logit_gradients.data(),
                                .parts = parts.data(),
                                .examples = kExamples,
                                .dim = dim,
                                .part_rows = kExamples});
  CHECK(IsSame(parts.span(), want_parts.span()));
  CHECK(IsSame(sums.span(), want_sums.span()));
  CHECK(IsSame(logits.span(), want_logits.span()));
  CHECK(IsSame(pairs.span(), want_pairs.span()));
}

// The block of rows that the trainers' models go by.
constexpr std::uint32_t kBlockRows = 512;

TEST_CASE("bias, ReLU, dropout and their gradients are those of the layers", "[device][trainer]") {
  constexpr std::uint32_t kRows = 1100, kColumns = 144;
  constexpr float kRate = 0.3F;
  Rng rng(1);
  AlignedBuffer want_y = Filled(rng, kRows * kColumns);
  AlignedBuffer want_dy = Filled(rng, kRows * kColumns);
  const AlignedBuffer bias = Filled(rng, kColumns);
  AlignedBuffer want_sums = Filled(rng, kColumns);
  AlignedBuffer y = Copied(want_y), dy = Copied(want_dy), sums = Copied(want_sums);
  AlignedBuffer parts(3 * kColumns);
  const examples::Dropout dropout(kRate, 99);
  const examples::StepContext context{.training = true, .seed = 5, .step = 8, .first_example = 70};
  for (std::uint32_t begin = 0; begin < kRows; begin += kBlockRows) {
    const std::size_t count = std::min(kBlockRows, kRows - begin);
    const Matrix rows{want_y.data() + begin * kColumns, count, kColumns, kColumns};
    examples::AddBiasRelu(bias.data(), rows);
    dropout.Apply(context, begin, rows);
    examples::ReluBackward(rows, dropout.scale(),
                           {want_dy.data() + begin * kColumns, count, kColumns, kColumns},
                           want_sums.data());
  }

  OnCpu(BiasCall{.y = y.data(),
                 .bias = bias.data(),
                 .rows = kRows,
                 .columns = kColumns,
                 .activation = Activation::kRelu});
  const std::uint64_t stream = examples::StreamKey(5, 8);
  OnCpu(DropoutCall{.y = y.data(),
                    .stream = &stream,
                    .layer = 99,
                    .first_example = 70,
                    .rows = kRows,
                    .columns = kColumns,
                    .stride = kColumns,
                    .drop_below = static_cast<std::uint32_t>(static_cast<double>(kRate) * 0x1p32),
                    .scale = dropout.scale()});
  OnCpu(ReluGradientCall{
      .y = y.data(), .dy = dy.data(), .scale = dropout.scale(), .count = kRows * kColumns});
  OnCpu(ColumnPartsCall{.x = dy.data(),
                        .parts = parts.data(),
                        .rows = kRows,
                        .columns = kColumns,
                        .part_rows = kBlockRows});
  OnCpu(AddPartsCall{
      .parts = parts.data(), .sums = sums.data(), .part_count = 3, .columns = kColumns});

  CHECK(IsSame(y.span(), want_y.span()));
  CHECK(IsSame(dy.span(), want_dy.span()));
  CHECK(IsSame(sums.span(), want_sums.span()));
}

TEST_CASE("gradients of the loss are the trainers'", "[device][trainer]") {
  Rng rng(2);
  const std::vector<float> logits = test::Floats(rng, 700, -9, 9);
  std::vector<float> labels(700), want(700), got(700);
  std::vector<double> losses(700), sums(3);
  for (float& label : labels) label = rng.Below(2) == 0 ? 0.0F : 1.0F;
  const double want_loss = examples::LogisticLoss(logits, labels, 0.01F, want);

  OnCpu(LogisticLossCall{.logits = logits.data(),
                         .labels = labels.data(),
                         .gradients = got.data(),
                         .losses = losses.data(),
                         .scale = 0.01F,
                         .count = 700});
  OnCpu(SumPartsCall{.values = losses.data(), .sums = sums.data(), .count = 700});

  CHECK(IsSame(got, want));
  CHECK(sums[0] + sums[1] + sums[2] == Approx(want_loss).epsilon(1e-13));  // In another order.
}

TEST_CASE("logits and their gradients are those of LogitHead", "[device][trainer]") {
  const auto inputs = GENERATE(as<std::uint32_t>(), 1, 7, 8, 31, 32, 40, 75, 400);
  CAPTURE(inputs);
  constexpr std::uint32_t kExamples = 43;
  Rng rng(inputs);
  examples::ParameterLayout layout;
  const examples::LogitHead head("head", inputs, {}, layout);
  const AlignedBuffer weights = Filled(rng, layout.size());
  AlignedBuffer x = Filled(rng, std::size_t{kExamples} * inputs);
  const AlignedBuffer logit_gradients = Filled(rng, kExamples);
  AlignedBuffer want_logits = Filled(rng, kExamples);
  AlignedBuffer logits = Copied(want_logits);
  AlignedBuffer want_weights(layout.size()), parts(inputs), want_dx(x.size()), dx(x.size());
  const Matrix rows{x.data(), kExamples, inputs, inputs};
  head.Forward(weights.data(), rows, want_logits.data());
  head.AddWeightGradients(rows, logit_gradients.data(), want_weights.data());
  head.InputGradients(weights.data(), logit_gradients.data(),
                      {want_dx.data(), kExamples, inputs, inputs});

  OnCpu(LogitHeadCall{.x = x.data(),
                      .weights = weights.data(),
                      .logits = logits.data(),
                      .examples = kExamples,
                      .inputs = inputs,
                      .x_stride = inputs});
  OnCpu(LogitWeightPartsCall{.x = x.data(),
                             .logit_gradients = logit_gradients.data(),
                             .parts = parts.data(),
                             .examples = kExamples,
                             .inputs = inputs,
                             .x_stride = inputs,
                             .part_rows = 64});
  OnCpu(LogitInputGradientsCall{.weights = weights.data(),
                                .logit_gradients = logit_gradients.data(),
                                .dx = dx.data(),
                                .examples = kExamples,
                                .inputs = inputs,
                                .dx_stride = inputs});

  CHECK(IsSame(logits.span(), want_logits.span()));
  CHECK(IsSame(parts.span(), want_weights.span().first(inputs)));
  CHECK(IsSame(dx.span(), want_dx.span()));
}

// Two steps of each rule, with clip and decay.
TEST_CASE("dense weights are moved as DenseOptimizer moves them", "[device][trainer]") {
  constexpr std::uint32_t kCount = 333;
  examples::ParameterLayout layout;
  layout.Add({.name = "w", .shape = {kCount}, .initializer = {}, .decay = examples::Decay::kYes});
  const auto rule = GENERATE(values<decltype(examples::DenseOptimizerSpec::rule)>(
      {examples::DenseSgd{.learning_rate = 0.1F},
       examples::DenseSgd{.learning_rate = 0.1F, .momentum = 0.9F},
       examples::DenseAdagrad{.learning_rate = 0.1F, .initial_sum = 0.2F}, examples::DenseAdam{}}));
  const examples::DenseOptimizerSpec spec{
      .rule = rule, .weight_decay = 0.02F, .gradient_clip = 0.9F};
  const auto optimizer = examples::DenseOptimizer::Make(spec, layout).value();
  Rng rng(3);
  AlignedBuffer want = Filled(rng, layout.size());
  AlignedBuffer got = Copied(want);
  AlignedBuffer first(layout.size()), second(layout.size());
  const bool is_adagrad = std::holds_alternative<examples::DenseAdagrad>(rule);
  for (float& value : first.span()) value = is_adagrad ? 0.2F : 0;

  const float learning_rate = 0.1F * 0.5F;
  for (int step = 1; step <= 2; ++step) {
    const AlignedBuffer gradients = Filled(rng, layout.size());
    optimizer->BeginStep(0.5F);
    optimizer->Update({0, layout.size()}, gradients.span(), want.span());

    const DenseSlice slice{.weights = got.data(),
                           .gradients = gradients.data(),
                           .clip = 0.9F,
                           .decay = 0.02F,
                           .count = kCount};
    if (is_adagrad) {
      OnCpu(DenseAdagradCall{
          .slice = slice, .sums = first.data(), .learning_rate = &learning_rate, .epsilon = 1e-8F});
    } else if (std::holds_alternative<examples::DenseAdam>(rule)) {
      const double correction1 = 1 - std::pow(static_cast<double>(0.9F), step);
      const double correction2 = 1 - std::pow(static_cast<double>(0.999F), step);
      const auto rate = static_cast<float>(static_cast<double>(1e-3F) * 0.5 / correction1);
      const auto root_correction = static_cast<float>(1 / std::sqrt(correction2));
      OnCpu(DenseAdamCall{.slice = slice,
                          .first = first.data(),
                          .second = second.data(),
                          .rate = &rate,
                          .root_correction = &root_correction,
                          .beta1 = 0.9F,
                          .beta2 = 0.999F,
                          .epsilon = 1e-8F});
    } else if (const float momentum = std::get<examples::DenseSgd>(rule).momentum; momentum > 0) {
      OnCpu(DenseMomentumCall{.slice = slice,
                              .velocities = first.data(),
                              .learning_rate = &learning_rate,
                              .momentum = momentum});
    } else {
      OnCpu(DenseSgdCall{.slice = slice, .learning_rate = &learning_rate});
    }
  }

  CHECK(IsSame(got.span().first(kCount), want.span().first(kCount)));
}

}  // namespace
}  // namespace longtail::device
