#include "worker/device/emulator.h"

#include <array>
#include <catch2/catch.hpp>
#include <string>
#include <vector>

namespace simt {
namespace {

TEST_CASE("each thread of each block runs once and knows its place", "[device][emulator]") {
  const std::uint64_t seed = GENERATE(range<std::uint64_t>(0, 5));
  std::array<unsigned, 2 * 3 * 4 * 5> seen{};
  const Shape shape{.blocks = {.x = 2, .y = 3}, .threads = {.x = 4, .y = 5}};

  const std::string error = Launch(shape, {.seed = seed}, [&] {
    const unsigned block = blockIdx.y * gridDim.x + blockIdx.x;
    const unsigned thread = threadIdx.y * blockDim.x + threadIdx.x;
    atomicAdd(&seen[block * blockDim.x * blockDim.y + thread], 1U);
  });

  CHECK(error == "");
  for (const unsigned count : seen) CHECK(count == 1);
}

TEST_CASE("shuffles and ballots exchange among the lanes of a warp", "[device][emulator]") {
  const std::uint64_t seed = GENERATE(range<std::uint64_t>(0, 5));
  std::array<unsigned, 64> shuffled{};
  std::array<unsigned, 64> flipped{};
  std::array<unsigned, 64> ballots{};

  const std::string error = Launch({.threads = {.x = 64}}, {.seed = seed}, [&] {
    const unsigned t = threadIdx.x;
    shuffled[t] = __shfl_sync(~0U, t * 10, 3, 8);
    flipped[t] = __shfl_xor_sync(~0U, t, 5);
    ballots[t] = __ballot_sync(~0U, t % 3 == 0);
  });

  CHECK(error == "");
  for (unsigned t = 0; t < 64; ++t) {
    CAPTURE(t);
    CHECK(shuffled[t] == (t / 8 * 8 + 3) * 10);
    CHECK(flipped[t] == (t ^ 5));
    CHECK(ballots[t] == (t < 32 ? 0x49249249U : 0x92492492U));
  }
}

TEST_CASE("a barrier orders what a block writes with what it reads", "[device][emulator]") {
  const std::uint64_t seed = GENERATE(range<std::uint64_t>(0, 20));
  std::array<unsigned, 96> read{};

  const std::string error = Launch({.threads = {.x = 96}}, {.seed = seed}, [&] {
    LONGTAIL_SHARED(unsigned, values, 96);
    values[threadIdx.x] = threadIdx.x + 1;
    __syncthreads();
    read[threadIdx.x] = values[95 - threadIdx.x];
  });

  CHECK(error == "");
  for (unsigned t = 0; t < 96; ++t) CHECK(read[t] == 96 - t);
}

TEST_CASE("shared memory that nobody wrote has a value that nobody expects", "[device][emulator]") {
  float read = 0;

  const std::string error = Launch({.shared_bytes = 64}, {}, [&] {
    LONGTAIL_DYNAMIC_SHARED(float, values);
    read = values[15];
  });

  CHECK(error == "");
  CHECK(read < -2e36F);
}

TEST_CASE("what threads of a kernel may not do is named", "[device][emulator]") {
  struct Case {
    const char* cause;
    void (*body)();
  };
  const auto [cause, body] = GENERATE(values<Case>({
      {"a lane is not in its own mask", [] { __ballot_sync(0xFFFF, 1); }},
      {"a lane that a mask names has ended, or is none",
       [] {
         if (threadIdx.x < 8) __ballot_sync(~0U, 1);
       }},
      {"lanes of one mask meet in different operations",
       [] {
         if (threadIdx.x % 2 == 0) {
           __ballot_sync(~0U, 1);
         } else {
           __syncwarp();
         }
       }},
      {"a shuffle reads a lane that its mask does not name",
       [] {
         if (threadIdx.x < 16) __shfl_sync(0xFFFF, 1, 20);
       }},
      {"a barrier of the block is reached by part of it: others have ended",
       [] {
         if (threadIdx.x < 32) __syncthreads();
       }},
      {"no thread can go on: a barrier that others miss",
       [] {
         if (threadIdx.x < 32) {
           __syncthreads();
         } else {
           __ballot_sync(threadIdx.x % 32 == 0 ? 3 : ~0U, 1);
         }
       }},
  }));
  CAPTURE(cause);

  const std::string error = Launch({.threads = {.x = 64}}, {}, body);

  CHECK(error == std::string("block 0,0: ") + cause);
}

TEST_CASE("atomic sums of all threads arrive under any schedule", "[device][emulator]") {
  const std::uint64_t seed = GENERATE(range<std::uint64_t>(0, 5));
  unsigned long long sum = 0;

  const std::string error =
      Launch({.blocks = {.x = 3}, .threads = {.x = 64}}, {.seed = seed, .preempts = true},
             [&] { atomicAdd(&sum, 1ULL + threadIdx.x); });

  CHECK(error == "");
  CHECK(sum == 3 * 64 * 65 / 2);
}

}  // namespace
}  // namespace simt
