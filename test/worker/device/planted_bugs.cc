// Plants a mistake in the real kernels, or in the order of streams, and says whether it is seen.
//
//   planted_bugs NAME        exit 0: nothing was seen; 3: results are wrong, or the emulator
//   refuses
//
// Sanitizers and guarded memory end it in their own way. planted_bugs_test.cc wants each to be
// seen, and the one without a bug not to be.
#include "worker/device/emulator.h"

namespace planted {

// Which barrier of the block a thread leaves out, counted from 1 by each thread for itself; 0:
// none.
inline int barrier = 0;
inline unsigned mask_without = 0;  // Lanes that ballots and shuffles forget to name.

inline int barriers_of_thread[1024];

inline void SyncThreads() {
  if (barrier != 0 && ++barriers_of_thread[threadIdx.x] == barrier) return;
  __syncthreads();
}
inline unsigned Ballot(unsigned mask, int predicate) {
  return __ballot_sync(mask & ~mask_without, predicate);
}

}  // namespace planted

// The kernels' own source, with these in place of what it calls.
#define __syncthreads ::planted::SyncThreads
#define __ballot_sync ::planted::Ballot
#include "worker/device/emulated_grid.h"
#undef __syncthreads
#undef __ballot_sync

#include <array>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "base/random.h"
#include "worker/device/cpu_device.h"
#include "worker/device/guarded_array.h"
#include "worker/device/sparse_batch.h"

namespace longtail::device {
namespace {

constexpr int kSeen = 3;
constexpr std::uint64_t kSchedules = 20;

int Say(const std::string& what) {
  std::fprintf(stderr, "seen: %s\n", what.c_str());
  return kSeen;
}

// The dot interaction of some examples under some schedules, against plain loops.
int Interact() {
  constexpr std::uint32_t kVectors = 9, kDim = 8, kExamples = 3;
  constexpr std::uint32_t kOutputs = kDim + kVectors * (kVectors - 1) / 2;
  std::vector<float> values(std::size_t{kExamples} * kVectors * kDim);
  Rng rng(1);
  for (float& value : values) value = rng.Uniform(-1, 1);
  const GuardedArray<float> v(values);
  const GuardedArray<float> want(std::size_t{kExamples} * kOutputs);
  DotInteractionCall call{.v = v.data(),
                          .y = want.data(),
                          .examples = kExamples,
                          .vectors = kVectors,
                          .dim = kDim,
                          .v_stride = kVectors * kDim,
                          .y_stride = kOutputs};
  Loops loops;
  Run(call, loops);
  for (std::uint64_t seed = 0; seed < kSchedules; ++seed) {
    const GuardedArray<float> got(want.size());
    call.y = got.data();
    EmulatedGrid grid({.seed = seed}, /*blocks_max=*/1);
    std::memset(planted::barriers_of_thread, 0, sizeof(planted::barriers_of_thread));
    Run(call, grid);
    if (!grid.error().empty()) return Say(grid.error());
    if (std::memcmp(got.data(), want.data(), want.size() * sizeof(float)) != 0)
      return Say("wrong products");
  }
  return 0;
}

// A probe of a cache that is empty.
int Probe() {
  const GuardedArray<std::uint64_t> keys(std::vector<std::uint64_t>(kCacheWays, 1));
  const GuardedArray<std::uint32_t> zeros(std::vector<std::uint32_t>(kCacheWays, 0));
  const GuardedArray<CacheCounters> counters(std::vector<CacheCounters>(1));
  const GuardedArray<std::uint32_t> places(5), missed(5);
  const std::uint32_t count = 5;
  EmulatedGrid grid({.seed = 1});
  Run(CacheProbeCall{.cache = {.keys = keys.data(),
                               .tables = zeros.data(),
                               .stamps = zeros.data(),
                               .applied = zeros.data(),
                               .rows = nullptr,
                               .counters = counters.data(),
                               .set_count = 1,
                               .row_stride = 1},
                     .keys = keys.data(),
                     .count = &count,
                     .places = places.data(),
                     .missed = missed.data(),
                     .count_max = count,
                     .table = 0,
                     .step = 1,
                     .age_max = 1},
      grid);
  return grid.error().empty() ? 0 : Say(grid.error());
}

// A kernel that is told of more items than its arrays have.
int OutOfBounds(std::uint32_t too_many) {
  constexpr std::size_t kSize = 100;
  // From the heap, for the address sanitizer.
  const auto x = std::make_unique<std::array<float, kSize>>();
  const auto y = std::make_unique<std::array<float, kSize>>();
  const GuardedArray<float> guarded(kSize);
  EmulatedGrid grid({.seed = 1});
  Run(AddCall{.x = x->data(), .y = y->data(), .count = 100 + too_many}, grid);
  Run(AddCall{.x = x->data(), .y = guarded.data(), .count = 100 + too_many}, grid);
  return 0;
}

__attribute__((noinline)) void WriteShared(unsigned at) {
  LONGTAIL_DYNAMIC_SHARED(float, values);
  values[at] = 1;
}

// A thread that writes behind the shared memory of its block.
int OutOfShared(unsigned beyond) {
  const std::string error = simt::Launch({.threads = {.x = 32}, .shared_bytes = 32 * sizeof(float)},
                                         {.seed = 1}, [=] { WriteShared(threadIdx.x + beyond); });
  return error.empty() ? 0 : Say(error);
}

// Copies what another stream makes, with or without a wait for it.
int Copies(bool waits) {
  constexpr std::int32_t kSize = 120;
  constexpr std::size_t kFloats = kSize * kSize;
  CpuDevice device({});
  const auto make = device.MakeStream({.name = "make"}).value();
  const auto copy = device.MakeStream({.name = "copy"}).value();
  const auto made = device.MakeEvent("made").value();
  const std::vector<float> a(kFloats, 1);
  std::vector<float> c(kFloats), copied(kFloats);
  make->Multiply({.rows = kSize,
                  .columns = kSize,
                  .inner = kSize,
                  .a = a.data(),
                  .a_stride = kSize,
                  .b = a.data(),
                  .b_stride = kSize,
                  .c = c.data(),
                  .c_stride = kSize});
  make->Record(*made);
  if (waits) copy->Wait(*made);
  copy->Copy(copied.data(), c.data(), kFloats * sizeof(float));
  if (!copy->Finish(absl::Minutes(1)).ok() || !make->Finish(absl::Minutes(1)).ok()) {
    return Say("no end");
  }
  return copied == std::vector<float>(kFloats, kSize) ? 0 : Say("a copy of what was not made yet");
}

int Plant(const std::string& bug) {
  if (bug == "none") {
    const int seen = Interact() + Probe() + Copies(true);
    return seen + OutOfBounds(0) + OutOfShared(0);
  }
  if (bug == "missing_barrier") {
    planted::barrier = 1;  // Between the copy to shared memory and the products.
    return Interact();
  }
  if (bug == "missing_last_barrier") {
    planted::barrier = 2;  // Between the products and the next example's copy.
    return Interact();
  }
  if (bug == "wrong_mask") {
    planted::mask_without = 1U << 31;
    return Probe();
  }
  if (bug == "out_of_bounds") return OutOfBounds(1);
  if (bug == "out_of_shared") return OutOfShared(1);
  if (bug == "missing_wait") {  // Whether it shows depends on which thread is faster.
    int seen = 0;
    for (int again = 0; again < 30; ++again) seen = Copies(false) == 0 ? seen : kSeen;
    return seen;
  }
  std::fprintf(stderr, "no such bug: %s\n", bug.c_str());
  return 2;
}

}  // namespace
}  // namespace longtail::device

int main(int count, char** words) {
  return longtail::device::Plant(count == 2 ? words[1] : "");
}
