#include "worker/device/gradient_sums.h"

#include <catch2/catch.hpp>
#include <map>
#include <vector>

#include "support/gen.h"
#include "worker/device/cpu_device.h"
#include "worker/device/distinct_keys.h"

namespace longtail::device {
namespace {

constexpr absl::Duration kLimit = absl::Seconds(60);

// Whole numbers, so that a sum is the same in any order, and a lost or doubled gradient is seen.
TEST_CASE("each gradient counts once, whether its key is rare or everywhere",
          "[device][gradient_sums]") {
  const auto long_above = GENERATE(as<std::uint32_t>(), 0, 1, 50, 4000, kNoLongSegments);
  const auto distinct = GENERATE(as<std::uint64_t>(), 1, 3, 100'000);
  CAPTURE(long_above, distinct);
  constexpr std::uint32_t kExamples = 700, kFields = 3, kDim = 8;
  constexpr std::uint32_t kKeys = kExamples * kFields;
  Rng rng(distinct);
  const std::vector<Key> keys = test::Keys(rng, kKeys, distinct);
  std::vector<float> gradients(std::size_t{kKeys} * kDim);
  for (float& value : gradients) value = static_cast<float>(rng.Below(9)) - 4;
  std::map<Key, std::vector<float>> want;
  for (std::uint32_t i = 0; i < kKeys; ++i) {
    std::vector<float>& sum = want.try_emplace(keys[i], kDim).first->second;
    for (std::uint32_t d = 0; d < kDim; ++d) sum[d] += gradients[i * kDim + d];
  }
  CpuDevice device({});
  const auto stream = device.MakeStream({.name = "sparse", .count_max = kKeys}).value();
  DistinctKeys found = DistinctKeys::Make(device, kKeys).value();
  GradientSums sums =
      GradientSums::Make(device, {.unique_max = kKeys, .long_above = long_above}).value();
  const Memory result = device.Allocate(MemoryKind::kDevice, gradients.size() * 4).value();

  found.Find(*stream, keys.data(), kKeys);
  sums.Sum(*stream,
           {.gradients = gradients.data(),
            .bags = {.examples = kExamples, .fields = kFields},
            .positions = found.positions(),
            .begins = found.begins(),
            .unique_count = found.unique_count(),
            .sums = result.At<float>(0),
            .unique_max = kKeys,
            .stride = kFields * kDim,
            .field_stride = kDim,
            .sum_stride = kDim,
            .dim = kDim},
           kKeys);
  REQUIRE(stream->Finish(kLimit).ok());

  REQUIRE(*found.unique_count() == want.size());
  for (std::uint32_t u = 0; u < want.size(); ++u) {
    const float* sum = result.At<float>(0) + u * kDim;
    const bool is_right = std::vector<float>(sum, sum + kDim) == want.at(found.keys()[u]);
    REQUIRE(is_right);
  }
}

TEST_CASE("sums of no size are refused", "[device][gradient_sums]") {
  CpuDevice device({.streams = CpuStreams::kInline});

  CHECK(GradientSums::Make(device, {}).status().message() ==
        "gradient sums: unique_max 0: want 1..2147483647");
}

}  // namespace
}  // namespace longtail::device
