#include "worker/device/kernels/segment_sum.h"

#include <algorithm>

#include "worker/device/every_grid.h"
#include "worker/device/sparse_batch.h"

namespace longtail::device {
namespace {

struct Shape {
  std::uint32_t dim;
  std::uint32_t field_stride;
  std::uint32_t long_above;
  Pooling pooling;
};

// The gradient of one occurrence, and the order in which they are added.
float WantSum(const SparseBatch& batch, const Segments& segments, const SegmentSumCall& call,
              std::uint32_t row, std::uint32_t d) {
  const std::uint32_t begin = segments.begins[row];
  const std::uint32_t end = segments.begins[row + 1];
  const auto part_sum = [&](std::uint32_t from, std::uint32_t to) {
    float sum = 0;
    for (std::uint32_t place = from; place < to; ++place) {
      const std::uint32_t key = segments.positions[place];
      const std::uint32_t bag = segments.bags_of[key];
      const std::uint32_t keys = batch.BagBegin(bag + 1) - batch.BagBegin(bag);
      const float share = call.pooling == Pooling::kMean ? 1 / static_cast<float>(keys) : 1;
      sum += batch.Value(key) * share *
             call.gradients[bag / batch.fields * std::size_t{call.stride} +
                            bag % batch.fields * std::size_t{call.field_stride} + d];
    }
    return sum;
  };
  if (end - begin <= call.long_above) return part_sum(begin, end);
  const std::uint32_t whole = (end - begin + 31) / 32;
  float sum = 0;
  for (std::uint32_t part = 0; part < 32; ++part) {
    sum += part_sum(std::min(begin + part * whole, end), std::min(begin + (part + 1) * whole, end));
  }
  return sum;
}

void CheckSums(Rng& rng, const SparseBatch& batch, const Shape& shape) {
  const Segments segments = SegmentsOf(batch);
  const std::uint32_t stride =
      shape.field_stride == 0 ? shape.dim : batch.fields * shape.field_stride;
  const GuardedArray<float> gradients(TestFloats(rng, std::size_t{batch.examples} * stride));
  SegmentSumCall call{.gradients = gradients.data(),
                      .bags = batch.bags(),
                      .bags_of = batch.offsets.size() == 0 ? nullptr : segments.bags_of.data(),
                      .positions = segments.positions.data(),
                      .begins = segments.begins.data(),
                      .unique_count = segments.unique_count.data(),
                      .sums = nullptr,
                      .unique_max = batch.unique + 3,  // Room that this batch does not use.
                      .stride = stride,
                      .field_stride = shape.field_stride,
                      .sum_stride = shape.dim,
                      .dim = shape.dim,
                      .long_above = shape.long_above,
                      .pooling = shape.pooling};

  const auto sums = OnEveryGrid([&](auto& grid) {
    const GuardedArray<float> to(std::size_t{batch.unique} * shape.dim);
    SegmentSumCall on = call;
    on.sums = to.data();
    Run(on, grid);
    const GuardedArray<std::uint32_t> flags(call.unique_max);
    Run(MarkLongSegmentsCall{.begins = call.begins,
                             .unique_count = call.unique_count,
                             .flags = flags.data(),
                             .unique_max = call.unique_max,
                             .long_above = call.long_above},
        grid);
    std::vector<std::uint32_t> chosen;
    for (std::uint32_t s = 0; s < call.unique_max; ++s) {
      if (flags[s] != 0) chosen.push_back(s);
    }
    const GuardedArray<std::uint32_t> segments_that_are_long(chosen);
    const auto chosen_count = static_cast<std::uint32_t>(chosen.size());
    Run(LongSegmentSumCall{.all = on,
                           .segments = segments_that_are_long.data(),
                           .segment_count = &chosen_count,
                           .segment_max = chosen_count},
        grid);
    return to.values();
  });

  std::vector<float> want(std::size_t{batch.unique} * shape.dim);
  for (std::size_t i = 0; i < want.size(); ++i) {
    want[i] = WantSum(batch, segments, call, static_cast<std::uint32_t>(i / shape.dim),
                      static_cast<std::uint32_t>(i % shape.dim));
  }
  const bool is_right = sums == want;
  CHECK(is_right);
}

TEST_CASE("gradients of equal keys are summed by position, for any width", "[device][segment]") {
  const BagKind kind = GENERATE(BagKind::kSingle, BagKind::kMany, BagKind::kWeighted);
  const Pooling pooling = GENERATE(Pooling::kSum, Pooling::kMean);
  CAPTURE(kind, pooling);
  for (const std::uint32_t dim : TestDims()) {
    CAPTURE(dim);
    Rng rng(dim);
    CheckSums(rng, MakeSparseBatch(rng, kind, 5, 2, 3), {dim, dim, kNoLongSegments, pooling});
  }
}

TEST_CASE("long segments are summed in parts, each key's by its own occurrences alone",
          "[device][segment]") {
  const auto dim = GENERATE(as<std::uint32_t>(), 1, 3, 4, 12, 16, 33, 40, 64);
  const auto long_above = GENERATE(as<std::uint32_t>(), 0, 7, 40);
  CAPTURE(dim, long_above);
  if (kIsSlow && dim > 12) return;
  Rng rng(dim + long_above);
  // Two of five keys have most occurrences; some have none.
  SparseBatch batch = MakeSparseBatch(rng, BagKind::kMany, kIsSlow ? 12 : 60, 3, 5);
  for (std::uint32_t key = 0; key < batch.key_count(); ++key) {
    if (rng.Below(4) != 0) batch.inverse[key] = key % 7 == 0 ? 1 : 4;
  }

  CheckSums(rng, batch, {dim, dim, long_above, Pooling::kMean});
}

TEST_CASE("a linear part takes one gradient of an example for all its fields",
          "[device][segment]") {
  const auto long_above = GENERATE(as<std::uint32_t>(), kNoLongSegments, 5);
  Rng rng(5);

  CheckSums(rng, MakeSparseBatch(rng, BagKind::kWeighted, 9, 3, 4),
            {1, 0, long_above, Pooling::kSum});
}

TEST_CASE("a batch without keys has sums of nothing", "[device][segment]") {
  Rng rng(5);

  CheckSums(rng, MakeSparseBatch(rng, BagKind::kSingle, 0, 3, 2), {4, 4, 0, Pooling::kSum});
}

TEST_CASE("each key is told its bag", "[device][segment]") {
  Rng rng(8);
  const SparseBatch batch = MakeSparseBatch(rng, BagKind::kMany, 31, 4, 4);

  const auto bags_of = OnEveryGrid([&](auto& grid) {
    const GuardedArray<std::uint32_t> to(batch.key_count());
    Run(BagsOfKeysCall{.bags = batch.bags(), .bags_of = to.data()}, grid);
    return to.values();
  });

  const bool is_right = bags_of == SegmentsOf(batch).bags_of.values();
  CHECK(is_right);
}

}  // namespace
}  // namespace longtail::device
