#include "worker/device/cpu_stream.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <numeric>
#include <vector>

#include "base/random.h"
#include "support/alloc_count.h"
#include "support/gen.h"
#include "worker/device/cpu_device.h"
#include "worker/device/cpu_kernels.h"
#include "worker/device/cpu_primitives.h"
#include "worker/device/gemm.h"

namespace longtail::device {
namespace {

constexpr absl::Duration kLimit = absl::Seconds(60);

TEST_CASE("a stream does its commands in their order", "[device][stream]") {
  const CpuStreams mode = GENERATE(CpuStreams::kThreads, CpuStreams::kInline);
  CAPTURE(mode);
  CpuDevice device({.streams = mode});
  const auto stream = device.MakeStream({.name = "one"}).value();
  std::vector<float> from(5000, 2);
  std::vector<float> x(5000), y(5000);

  for (int again = 0; again < 1000; ++again) {  // More commands than a queue holds.
    stream->Fill(y.data(), 0, y.size() * sizeof(float));
    stream->Copy(x.data(), from.data(), x.size() * sizeof(float));
    stream->Launch(AddCall{.x = x.data(), .y = y.data(), .count = 5000});
    stream->Launch(AddCall{.x = y.data(), .y = y.data(), .count = 5000});
  }

  REQUIRE(stream->Finish(kLimit).ok());
  CHECK(y == std::vector<float>(5000, 4));
}

// Three streams hand two buffers round, as the worker's copy, compute and copy back do.
TEST_CASE("events order streams, and the host", "[device][stream]") {
  const CpuStreams mode = GENERATE(CpuStreams::kThreads, CpuStreams::kInline);
  CAPTURE(mode);
  constexpr std::size_t kDepth = 2;
  constexpr std::size_t kSteps = 60;
  constexpr std::size_t kSize = 3000;
  CpuDevice device({.streams = mode});
  const auto in = device.MakeStream({.name = "in"}).value();
  const auto compute = device.MakeStream({.name = "compute"}).value();
  const auto out = device.MakeStream({.name = "out"}).value();
  std::vector<std::unique_ptr<Event>> copied, computed, left;
  std::vector<std::vector<float>> source(kSteps), result(kSteps, std::vector<float>(kSize));
  std::vector<std::vector<float>> buffer(kDepth, std::vector<float>(kSize));
  std::vector<std::vector<float>> sum(kDepth, std::vector<float>(kSize));
  for (std::size_t slot = 0; slot < kDepth; ++slot) {
    copied.push_back(device.MakeEvent("copied").value());
    computed.push_back(device.MakeEvent("computed").value());
    left.push_back(device.MakeEvent("left").value());
  }

  for (std::size_t step = 0; step < kSteps; ++step) {
    source[step].assign(kSize, static_cast<float>(step) + 1);
    const std::size_t slot = step % kDepth;
    in->Wait(*computed[slot]);  // Of the step that had this buffer; of none, at first.
    in->Copy(buffer[slot].data(), source[step].data(), kSize * sizeof(float));
    in->Record(*copied[slot]);
    compute->Wait(*copied[slot]);
    compute->Wait(*left[slot]);
    compute->Fill(sum[slot].data(), 0, kSize * sizeof(float));
    compute->Launch(AddCall{.x = buffer[slot].data(), .y = sum[slot].data(), .count = kSize});
    compute->Record(*computed[slot]);
    out->Wait(*computed[slot]);
    out->Copy(result[step].data(), sum[slot].data(), kSize * sizeof(float));
    out->Record(*left[slot]);
  }

  REQUIRE(left[(kSteps - 1) % kDepth]->Await(kLimit).ok());
  for (std::size_t step = 0; step < kSteps; ++step) {
    const bool is_right = result[step] == source[step];
    REQUIRE(is_right);
  }
  CHECK(in->Finish(kLimit).ok());
  CHECK(compute->Finish(kLimit).ok());
  CHECK(out->Finish(kLimit).ok());
}

TEST_CASE("who waits too long is told for what", "[device][stream]") {
  CpuDevice device({});
  const auto slow = device.MakeStream({.name = "slow"}).value();
  const auto event = device.MakeEvent("product").value();
  constexpr std::int32_t kSize = 400;
  const std::vector<float> a(kSize * kSize, 1);
  std::vector<float> c(kSize * kSize);

  slow->Multiply({.rows = kSize,
                  .columns = kSize,
                  .inner = kSize,
                  .a = a.data(),
                  .a_stride = kSize,
                  .b = a.data(),
                  .b_stride = kSize,
                  .c = c.data(),
                  .c_stride = kSize});
  slow->Record(*event);

  CHECK(event->Await(absl::ZeroDuration()).message() == "the host waited 0 for event 'product'");
  const absl::Status status = slow->Finish(absl::ZeroDuration());
  CHECK(status.message() == "stream 'slow': 2 commands are not done after 0");
  REQUIRE(event->Await(kLimit).ok());
  CHECK(slow->Finish(kLimit).ok());
  CHECK(c[kSize] == kSize);
}

TEST_CASE("a primitive beyond what its stream was made for is refused, once told",
          "[device][stream]") {
  CpuDevice device({});
  const auto stream = device.MakeStream({.name = "sparse", .count_max = 10}).value();
  std::vector<std::uint32_t> values(11), sums(11, 7);

  stream->Sum({.values = values.data(), .sums = sums.data(), .count = 11});

  CHECK(stream->Finish(kLimit).message() ==
        "stream 'sparse': a sum of 11 items: the stream was made for at most 10");
  CHECK(stream->Finish(kLimit).ok());
  CHECK(sums[0] == 7);
}

TEST_CASE("commands allocate nothing", "[device][stream]") {
  CpuDevice device({});
  const auto stream = device.MakeStream({.name = "warm", .count_max = 100}).value();
  const auto event = device.MakeEvent("warm").value();
  std::vector<float> x(100), y(100);
  std::vector<std::uint64_t> keys(100), sorted(100);
  std::vector<std::uint32_t> values(100), sorted_values(100);
  const auto step = [&] {
    stream->Copy(x.data(), y.data(), 400);
    stream->Launch(AddCall{.x = x.data(), .y = y.data(), .count = 100});
    stream->Sort({.keys = keys.data(),
                  .values = values.data(),
                  .sorted_keys = sorted.data(),
                  .sorted_values = sorted_values.data(),
                  .count = 100});
    stream->Record(*event);
    stream->Wait(*event);
    return stream->Finish(kLimit).ok();
  };
  REQUIRE(step());

  const std::uint64_t before = test::AllocationCount();
  for (int again = 0; again < 100; ++again) REQUIRE(step());

  CHECK(test::AllocationCount() == before);
}

TEST_CASE("pairs are sorted by key, equal ones as they were", "[device][primitives]") {
  const auto count = GENERATE(as<std::uint32_t>(), 0, 1, 2, 255, 4000);
  const auto distinct = GENERATE(as<std::uint64_t>(), 1, 30, 1'000'000'000);
  CAPTURE(count, distinct);
  Rng rng(count);
  const std::vector<Key> keys = test::Keys(rng, count, distinct);
  std::vector<std::uint32_t> values(count);
  std::iota(values.begin(), values.end(), 0U);
  std::vector<Key> sorted(count), space(count);
  std::vector<std::uint32_t> sorted_values(count), value_space(count);

  SortOnCpu({.keys = keys.data(),
             .values = values.data(),
             .sorted_keys = sorted.data(),
             .sorted_values = sorted_values.data(),
             .count = count},
            {.keys = space, .values = value_space});

  std::vector<std::uint32_t> want = values;
  std::ranges::stable_sort(want, {}, [&](std::uint32_t i) { return keys[i]; });
  CHECK(sorted_values == want);
  for (std::uint32_t i = 0; i < count; ++i) REQUIRE(sorted[i] == keys[want[i]]);
}

TEST_CASE("runs, sums and flagged places are what a plain loop finds", "[device][primitives]") {
  const std::vector<std::uint64_t> keys = {5, 5, 5, 0, 9, 9};
  std::vector<std::uint64_t> unique(6, 1);
  std::vector<std::uint32_t> lengths(6, 42);
  std::uint32_t runs = 0;
  FindRunsOnCpu({.keys = keys.data(),
                 .unique = unique.data(),
                 .lengths = lengths.data(),
                 .run_count = &runs,
                 .count = 6});
  CHECK(runs == 3);
  CHECK(unique == std::vector<std::uint64_t>{5, 0, 9, 1, 1, 1});
  CHECK(lengths == std::vector<std::uint32_t>{3, 1, 2, 42, 42, 42});

  std::vector<std::uint32_t> sums(3);
  SumOnCpu({.values = lengths.data(), .sums = sums.data(), .count = 3});
  CHECK(sums == std::vector<std::uint32_t>{0, 3, 4});

  const std::vector<std::uint32_t> flags = {0, 1, 0, 7, 1};
  std::vector<std::uint32_t> places(5);
  std::uint32_t place_count = 0;
  PickOnCpu(
      {.flags = flags.data(), .places = places.data(), .place_count = &place_count, .count = 5});
  CHECK(place_count == 3);
  CHECK(std::vector<std::uint32_t>(places.begin(), places.begin() + 3) ==
        std::vector<std::uint32_t>{1, 3, 4});
}

TEST_CASE("a row-major product is lowered to a column-major one", "[device][gemm]") {
  const bool transpose_a = GENERATE(false, true);
  const bool transpose_b = GENERATE(false, true);
  const float beta = GENERATE(0.0F, 0.5F);
  CAPTURE(transpose_a, transpose_b, beta);
  constexpr std::int32_t kRows = 5, kColumns = 7, kInner = 3;
  Rng rng(4);
  const std::int32_t a_stride = (transpose_a ? kRows : kInner) + 2;
  const std::int32_t b_stride = (transpose_b ? kInner : kColumns) + 1;
  constexpr std::int32_t kCStride = kColumns + 3;
  const std::vector<float> a = test::Floats(rng, 100, -1, 1);
  const std::vector<float> b = test::Floats(rng, 100, -1, 1);
  const std::vector<float> before = test::Floats(rng, kRows * kCStride, -1, 1);
  std::vector<float> c = before;

  PlainGemm(Lower({.transpose_a = transpose_a,
                   .transpose_b = transpose_b,
                   .rows = kRows,
                   .columns = kColumns,
                   .inner = kInner,
                   .a = a.data(),
                   .a_stride = a_stride,
                   .b = b.data(),
                   .b_stride = b_stride,
                   .c = c.data(),
                   .c_stride = kCStride,
                   .alpha = 2,
                   .beta = beta}));

  for (std::int32_t i = 0; i < kRows; ++i) {
    for (std::int32_t j = 0; j < kCStride; ++j) {
      const auto at = static_cast<std::size_t>(i * kCStride + j);
      double want = 0;
      for (std::int32_t k = 0; k < kInner; ++k) {
        want +=
            static_cast<double>(
                a[static_cast<std::size_t>(transpose_a ? k * a_stride + i : i * a_stride + k)]) *
            static_cast<double>(
                b[static_cast<std::size_t>(transpose_b ? j * b_stride + k : k * b_stride + j)]);
      }
      want = 2 * want + static_cast<double>(beta * before[at]);
      if (j < kColumns) CHECK(c[at] == Approx(want).margin(1e-6));
      if (j >= kColumns) CHECK(c[at] == before[at]);
    }
  }
}

}  // namespace
}  // namespace longtail::device
