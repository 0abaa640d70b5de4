#include <vector>

#include "worker/device/selfcheck/check_shapes.h"
#include "worker/device/selfcheck/device_check.h"

namespace longtail::device {
namespace {

constexpr std::uint32_t kPartRows = 64;

Launch PrepareBias(Trial& trial, std::uint32_t examples) {
  const std::uint32_t count = examples * kCheckColumns;
  const BiasCall bias{.y = trial.Floats("y", count),
                      .bias = trial.Floats("bias", kCheckColumns),
                      .rows = examples,
                      .columns = kCheckColumns,
                      .activation = Activation::kRelu};
  const ReluGradientCall gradient{
      .y = bias.y, .dy = trial.Floats("dy", count), .scale = 1.25F, .count = count};
  return {.enqueue =
              [=](Stream& stream) {
                stream.Launch(bias);
                stream.Launch(gradient);
              },
          .work = {.bytes = 20.0 * count, .flops = 3.0 * count}};
}

Launch PrepareColumnSums(Trial& trial, std::uint32_t examples) {
  const std::uint32_t parts = (examples - 1) / kPartRows + 1;
  const ColumnPartsCall call{.x = trial.Floats("x", std::size_t{examples} * kCheckColumns),
                             .parts = trial.Zeros("parts", std::size_t{parts} * kCheckColumns),
                             .rows = examples,
                             .columns = kCheckColumns,
                             .part_rows = kPartRows};
  const AddPartsCall add{.parts = call.parts,
                         .sums = trial.Floats("sums", kCheckColumns),
                         .part_count = parts,
                         .columns = kCheckColumns};
  return {
      .enqueue =
          [=](Stream& stream) {
            stream.Launch(call);
            stream.Launch(add);
          },
      .work = {.bytes = 4.0 * examples * kCheckColumns, .flops = 1.0 * examples * kCheckColumns}};
}

Launch PrepareDropout(Trial& trial, std::uint32_t examples) {
  const DropoutCall call{.y = trial.Floats("y", std::size_t{examples} * kCheckColumns),
                         .stream = trial.Array("stream", std::vector<std::uint64_t>{77}),
                         .layer = 3,
                         .first_example = 5,
                         .rows = examples,
                         .columns = kCheckColumns,
                         .stride = kCheckColumns,
                         .drop_below = 1U << 30,
                         .scale = 4.0F / 3};
  return {.enqueue = [=](Stream& stream) { stream.Launch(call); },
          .work = {.bytes = 8.0 * examples * kCheckColumns}};
}

Launch PrepareLoss(Trial& trial, std::uint32_t examples) {
  std::vector<float> labels(examples);
  for (float& label : labels) label = trial.rng().Below(2) == 0 ? 0.0F : 1.0F;
  const LogisticLossCall loss{.logits = trial.Floats("logits", examples, -9, 9),
                              .labels = trial.Array("labels", labels),
                              .gradients = trial.Zeros("gradients", examples),
                              .losses = trial.Array("losses", std::vector<double>(examples)),
                              .scale = 0.5F,
                              .count = examples};
  const SumPartsCall sum{.values = loss.losses,
                         .sums = trial.Array("sums", std::vector<double>((examples - 1) / 256 + 1)),
                         .count = examples,
                         .part_size = 256};
  return {.enqueue =
              [=](Stream& stream) {
                stream.Launch(loss);
                stream.Launch(sum);
              },
          .work = {.bytes = 28.0 * examples, .flops = 40.0 * examples}};
}

struct Optimizer {
  DenseSlice slice{};
  float* first = nullptr;
  float* second = nullptr;
  const float* learning_rate = nullptr;
};

Optimizer MakeOptimizer(Trial& trial, std::uint32_t examples) {
  const std::uint32_t count = examples * kCheckDim + 3;
  Optimizer made;
  made.slice = {.weights = trial.Floats("weights", count),
                .gradients = trial.Floats("gradients", count),
                .scale = 0.75F,
                .clip = 1,
                .decay = 0.01F,
                .count = count};
  made.first = trial.Floats("first", count, 0.1F, 1);
  made.second = trial.Floats("second", count, 0.1F, 1);
  made.learning_rate = trial.Array("learning rate", std::vector<float>{0.1F});
  return made;
}

Launch PrepareSgd(Trial& trial, std::uint32_t examples) {
  const Optimizer of = MakeOptimizer(trial, examples);
  return {.enqueue =
              [=](Stream& stream) {
                stream.Launch(DenseSgdCall{.slice = of.slice, .learning_rate = of.learning_rate});
                stream.Launch(DenseMomentumCall{.slice = of.slice,
                                                .velocities = of.first,
                                                .learning_rate = of.learning_rate,
                                                .momentum = 0.9F});
              },
          .work = {.bytes = 32.0 * of.slice.count, .flops = 12.0 * of.slice.count}};
}

Launch PrepareAdagrad(Trial& trial, std::uint32_t examples) {
  const Optimizer of = MakeOptimizer(trial, examples);
  return {.enqueue =
              [=](Stream& stream) {
                stream.Launch(DenseAdagradCall{.slice = of.slice,
                                               .sums = of.first,
                                               .learning_rate = of.learning_rate,
                                               .epsilon = 1e-6F});
              },
          .work = {.bytes = 20.0 * of.slice.count, .flops = 10.0 * of.slice.count}};
}

Launch PrepareAdam(Trial& trial, std::uint32_t examples) {
  const Optimizer of = MakeOptimizer(trial, examples);
  const float* const correction = trial.Array("root correction", std::vector<float>{3});
  return {.enqueue =
              [=](Stream& stream) {
                stream.Launch(DenseAdamCall{.slice = of.slice,
                                            .first = of.first,
                                            .second = of.second,
                                            .rate = of.learning_rate,
                                            .root_correction = correction,
                                            .beta1 = 0.9F,
                                            .beta2 = 0.99F,
                                            .epsilon = 1e-6F});
              },
          .work = {.bytes = 28.0 * of.slice.count, .flops = 16.0 * of.slice.count}};
}

Launch PrepareNarrow(Trial& trial, std::uint32_t examples) {
  const std::uint32_t count = examples * kCheckDim + 1;
  const float* const from = trial.Floats("floats", count, -1e5F, 1e5F);
  std::vector<std::uint16_t> zeros(count);
  std::uint16_t* const bfloats = trial.Array("bf16", zeros);
  std::uint16_t* const halves = trial.Array("fp16", zeros);
  float* const wide = trial.Zeros("wide bf16", count);
  float* const wide_halves = trial.Zeros("wide fp16", count);
  return {.enqueue =
              [=](Stream& stream) {
                using enum NarrowFormat;
                stream.Launch(
                    NarrowCall{.from = from, .to = bfloats, .count = count, .format = kBfloat16});
                stream.Launch(
                    NarrowCall{.from = from, .to = halves, .count = count, .format = kFloat16});
                stream.Launch(
                    WidenCall{.from = bfloats, .to = wide, .count = count, .format = kBfloat16});
                stream.Launch(WidenCall{
                    .from = halves, .to = wide_halves, .count = count, .format = kFloat16});
              },
          .work = {.bytes = 24.0 * count}};
}

}  // namespace

void AddDenseChecks(std::vector<DeviceCheck>& checks) {
  checks.push_back({.name = "bias, ReLU and back", .prepare = PrepareBias});
  checks.push_back({.name = "sums of columns", .prepare = PrepareColumnSums});
  checks.push_back({.name = "dropout", .prepare = PrepareDropout});
  // exp and log1p are the device's own.
  checks.push_back({.name = "logistic loss", .prepare = PrepareLoss, .tolerance = 1e-6});
  checks.push_back({.name = "SGD and momentum", .prepare = PrepareSgd});
  checks.push_back({.name = "Adagrad", .prepare = PrepareAdagrad});
  checks.push_back({.name = "Adam", .prepare = PrepareAdam});
  checks.push_back({.name = "bf16 and fp16", .prepare = PrepareNarrow});
}

}  // namespace longtail::device
