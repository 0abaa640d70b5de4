#include "worker/device/distinct_keys.h"

#include <algorithm>
#include <map>

#include "worker/device/cpu_device.h"
#include "worker/device/every_grid.h"
#include "worker/device/kernels/distinct.h"

namespace longtail::device {
namespace {

constexpr absl::Duration kLimit = absl::Seconds(60);

struct Case {
  const char* what;
  std::size_t count;
  std::uint64_t distinct;
};

// What must hold of a deduplication, whatever the order of its keys.
void CheckDistinct(const std::vector<Key>& keys, const DistinctKeys& found) {
  std::map<Key, std::vector<std::uint32_t>> want;
  for (std::uint32_t i = 0; i < keys.size(); ++i) want[keys[i]].push_back(i);
  REQUIRE(*found.unique_count() == want.size());
  REQUIRE(found.begins()[0] == 0);
  for (std::uint32_t u = 0; u < want.size(); ++u) {
    const Key key = found.keys()[u];
    const std::vector<std::uint32_t> places(found.positions() + found.begins()[u],
                                            found.positions() + found.begins()[u + 1]);
    const bool is_segment = places == want.at(key);  // Ascending, so sums keep their order.
    REQUIRE(is_segment);
    const bool is_by_hash = u == 0 || Mix64(found.keys()[u - 1]) < Mix64(key);
    REQUIRE(is_by_hash);
    for (const std::uint32_t place : places) REQUIRE(found.inverse()[place] == u);
  }
}

TEST_CASE("each key is found once, with its places, grouped by partition", "[device][distinct]") {
  const Case shape = GENERATE(values<Case>({{"none", 0, 1},
                                            {"one", 1, 1},
                                            {"all equal", 500, 1},
                                            {"few", 700, 5},
                                            {"many", 3000, 1000},
                                            {"nearly all different", 2000, 1'000'000'000}}));
  const CpuStreams mode = GENERATE(CpuStreams::kThreads, CpuStreams::kInline);
  CAPTURE(shape.what, mode);
  Rng rng(shape.count);
  const std::vector<Key> keys = test::Keys(rng, shape.count, shape.distinct);
  CpuDevice device({.streams = mode});
  const auto stream = device.MakeStream({.name = "sparse", .count_max = 3000}).value();
  DistinctKeys distinct = DistinctKeys::Make(device, 3000).value();

  for (int again = 0; again < 2; ++again) {
    distinct.Find(*stream, keys.data(), static_cast<std::uint32_t>(keys.size()));
    REQUIRE(stream->Finish(kLimit).ok());

    CheckDistinct(keys, distinct);
  }
}

TEST_CASE("the steps of deduplication are the same on a grid", "[device][distinct]") {
  const auto count = GENERATE(as<std::uint32_t>(), 1, 5, 256, 700);
  const auto distinct = GENERATE(as<std::uint64_t>(), 1, 9, 1'000'000);
  if (kIsSlow && count > 256) return;
  CAPTURE(count, distinct);
  Rng rng(count);
  const GuardedArray<Key> keys(test::Keys(rng, count, distinct));

  OnEveryGrid([&](auto& grid) {
    const GuardedArray<std::uint64_t> hashes(count), unique(count);
    const GuardedArray<std::uint32_t> positions(count), flags(count), sums(count), inverse(count);
    const GuardedArray<std::uint32_t> begins(count + 1), unique_count(1);
    Run(HashKeysCall{.keys = keys.data(),
                     .hashes = hashes.data(),
                     .positions = positions.data(),
                     .count = count},
        grid);
    std::sort(positions.data(), positions.data() + count, [&](std::uint32_t a, std::uint32_t b) {
      return std::make_pair(hashes[a], a) < std::make_pair(hashes[b], b);
    });
    std::sort(hashes.data(), hashes.data() + count);
    Run(MarkHeadsCall{.hashes = hashes.data(), .flags = flags.data(), .count = count}, grid);
    std::uint32_t sum = 0;
    for (std::uint32_t i = 0; i < count; ++i) {
      sums[i] = sum;
      sum += flags[i];
    }
    Run(NumberKeysCall{.hashes = hashes.data(),
                       .positions = positions.data(),
                       .flags = flags.data(),
                       .sums = sums.data(),
                       .keys = unique.data(),
                       .begins = begins.data(),
                       .inverse = inverse.data(),
                       .unique_count = unique_count.data(),
                       .count = count},
        grid);
    return Words(unique, begins, inverse, unique_count);
  });
}

TEST_CASE("a deduplication of no size is refused", "[device][distinct]") {
  CpuDevice device({.streams = CpuStreams::kInline});

  CHECK(DistinctKeys::Make(device, 0).status().message() ==
        "distinct keys of 0: want 1..2147483647");
}

}  // namespace
}  // namespace longtail::device
