#include <vector>

#include "worker/device/selfcheck/check_shapes.h"
#include "worker/device/selfcheck/device_check.h"

namespace longtail::device {
namespace {

constexpr std::uint32_t kPairs = kCheckFields * (kCheckFields - 1) / 2;
constexpr std::uint32_t kDotOutputs = kCheckDim + kPairs;
constexpr std::uint32_t kNumbers = 5;
constexpr std::uint32_t kPartRows = 64;

std::uint32_t PartsOf(std::uint32_t examples) {
  return (examples - 1) / kPartRows + 1;
}

template <typename Call>
Launch Of(const Call& call, Work work) {
  return {.enqueue = [call](Stream& stream) { stream.Launch(call); }, .work = work};
}

float* Columns(Trial& trial, const char* name, std::uint32_t examples) {
  return trial.Floats(name, std::size_t{examples} * kCheckColumns);
}

Launch PrepareDot(Trial& trial, std::uint32_t examples) {
  const DotInteractionCall call{.v = Columns(trial, "v", examples),
                                .y = trial.Zeros("y", std::size_t{examples} * kDotOutputs),
                                .examples = examples,
                                .vectors = kCheckFields,
                                .dim = kCheckDim,
                                .v_stride = kCheckColumns,
                                .y_stride = kDotOutputs};
  return Of(call, {.bytes = 4.0 * examples * (kCheckColumns + kDotOutputs),
                   .flops = 2.0 * examples * kPairs * kCheckDim});
}

Launch PrepareDotGradient(Trial& trial, std::uint32_t examples) {
  const DotGradientCall call{.v = Columns(trial, "v", examples),
                             .dy = trial.Floats("dy", std::size_t{examples} * kDotOutputs),
                             .dv = Columns(trial, "dv", examples),
                             .examples = examples,
                             .vectors = kCheckFields,
                             .dim = kCheckDim,
                             .v_stride = kCheckColumns,
                             .y_stride = kDotOutputs};
  return Of(call, {.bytes = 4.0 * examples * (2 * kCheckColumns + kDotOutputs),
                   .flops = 4.0 * examples * kPairs * kCheckDim});
}

SharedVectors MakeShared(Trial& trial, std::uint32_t examples) {
  return {.vectors = trial.Floats("vectors", kNumbers * kCheckDim),
          .scales = trial.Floats("scales", std::size_t{examples} * kNumbers),
          .count = kNumbers};
}

Launch PreparePairs(Trial& trial, std::uint32_t examples) {
  const PairSumsCall call{.v = Columns(trial, "v", examples),
                          .sums = trial.Zeros("sums", std::size_t{examples} * kCheckDim),
                          .logits = trial.Floats("logits", examples),
                          .shared = MakeShared(trial, examples),
                          .examples = examples,
                          .fields = kCheckFields,
                          .dim = kCheckDim,
                          .v_stride = kCheckColumns};
  return Of(call, {.bytes = 4.0 * examples * (kCheckColumns + kCheckDim + kNumbers),
                   .flops = 3.0 * examples * (kCheckColumns + kNumbers * kCheckDim)});
}

Launch PreparePairGradients(Trial& trial, std::uint32_t examples) {
  const PairGradientsCall call{.v = Columns(trial, "v", examples),
                               .sums = trial.Floats("sums", std::size_t{examples} * kCheckDim),
                               .logit_gradients = trial.Floats("logit gradients", examples),
                               .dv = Columns(trial, "dv", examples),
                               .examples = examples,
                               .fields = kCheckFields,
                               .dim = kCheckDim,
                               .v_stride = kCheckColumns,
                               .dv_stride = kCheckColumns};
  return Of(call, {.bytes = 4.0 * examples * (3 * kCheckColumns + kCheckDim),
                   .flops = 3.0 * examples * kCheckColumns});
}

Launch PrepareSharedGradients(Trial& trial, std::uint32_t examples) {
  constexpr std::uint32_t kFloats = kNumbers * kCheckDim;
  const SharedGradientPartsCall call{
      .shared = MakeShared(trial, examples),
      .sums = trial.Floats("sums", std::size_t{examples} * kCheckDim),
      .logit_gradients = trial.Floats("logit gradients", examples),
      .parts = trial.Zeros("parts", std::size_t{PartsOf(examples)} * kFloats),
      .examples = examples,
      .dim = kCheckDim,
      .part_rows = kPartRows};
  const AddPartsCall add{.parts = call.parts,
                         .sums = trial.Floats("gradients", kFloats),
                         .part_count = PartsOf(examples),
                         .columns = kFloats};
  return {.enqueue =
              [=](Stream& stream) {
                stream.Launch(call);
                stream.Launch(add);
              },
          .work = {.bytes = 4.0 * examples * (kCheckDim + kNumbers),
                   .flops = 5.0 * examples * kFloats}};
}

Launch PrepareHead(Trial& trial, std::uint32_t examples) {
  const LogitHeadCall call{.x = Columns(trial, "x", examples),
                           .weights = trial.Floats("weights", kCheckColumns),
                           .logits = trial.Floats("logits", examples),
                           .examples = examples,
                           .inputs = kCheckColumns - 3,
                           .x_stride = kCheckColumns};
  return Of(call,
            {.bytes = 4.0 * examples * kCheckColumns, .flops = 2.0 * examples * kCheckColumns});
}

Launch PrepareHeadGradients(Trial& trial, std::uint32_t examples) {
  const LogitWeightPartsCall parts{
      .x = Columns(trial, "x", examples),
      .logit_gradients = trial.Floats("logit gradients", examples),
      .parts = trial.Zeros("parts", std::size_t{PartsOf(examples)} * kCheckColumns),
      .examples = examples,
      .inputs = kCheckColumns,
      .x_stride = kCheckColumns,
      .part_rows = kPartRows};
  const AddPartsCall add{.parts = parts.parts,
                         .sums = trial.Floats("gradients", kCheckColumns),
                         .part_count = PartsOf(examples),
                         .columns = kCheckColumns};
  const LogitInputGradientsCall inputs{.weights = trial.Floats("weights", kCheckColumns),
                                       .logit_gradients = parts.logit_gradients,
                                       .dx = Columns(trial, "dx", examples),
                                       .examples = examples,
                                       .inputs = kCheckColumns,
                                       .dx_stride = kCheckColumns};
  return {
      .enqueue =
          [=](Stream& stream) {
            stream.Launch(parts);
            stream.Launch(add);
            stream.Launch(inputs);
          },
      .work = {.bytes = 8.0 * examples * kCheckColumns, .flops = 3.0 * examples * kCheckColumns}};
}

Launch PrepareCross(Trial& trial, std::uint32_t examples) {
  const std::uint32_t count = examples * kCheckColumns;
  const float* const x0 = trial.Floats("x0", count);
  const float* const u = trial.Floats("u", count);
  float* const y = trial.Zeros("y", count);
  const CrossCall cross{.x0 = x0, .u = u, .x = trial.Floats("x", count), .y = y, .count = count};
  const CrossGradientCall gradient{.x0 = x0,
                                   .u = u,
                                   .dy = trial.Floats("dy", count),
                                   .du = trial.Zeros("du", count),
                                   .dx0 = trial.Floats("dx0", count),
                                   .count = count};
  return {.enqueue =
              [=](Stream& stream) {
                stream.Launch(cross);
                stream.Launch(gradient);
                stream.Launch(AddCall{.x = gradient.du, .y = y, .count = count});
              },
          .work = {.bytes = 52.0 * count, .flops = 6.0 * count}};
}

}  // namespace

void AddModelChecks(std::vector<DeviceCheck>& checks) {
  checks.push_back({.name = "dot interaction", .prepare = PrepareDot});
  checks.push_back({.name = "dot interaction, back", .prepare = PrepareDotGradient});
  checks.push_back({.name = "pairs", .prepare = PreparePairs});
  checks.push_back({.name = "pairs, back", .prepare = PreparePairGradients});
  checks.push_back({.name = "pairs, shared vectors back", .prepare = PrepareSharedGradients});
  checks.push_back({.name = "logits", .prepare = PrepareHead});
  checks.push_back({.name = "logits, back", .prepare = PrepareHeadGradients});
  checks.push_back({.name = "cross layer and back", .prepare = PrepareCross});
}

}  // namespace longtail::device
