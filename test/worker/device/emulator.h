// Runs CUDA kernels on the CPU, from their own source: each thread is a fiber, blocks run one after
// another, and which thread goes on is drawn from a seed.
//
// What it finds: shuffles and ballots whose mask names a lane that does not come, barriers that
// part of a block never reaches, and reads of shared memory that nobody wrote, which are -2.6e36.
// With the address sanitizer, accesses out of bounds; with the thread sanitizer, two threads that
// touch the same memory with no barrier between them, since the fibers of a block are unordered but
// for barriers. What it cannot find: weak memory order, and how fast anything is.
//
// Must be included before a *_kernel.h. Linux on x86-64. Thread: any; a launch stays on its own.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <type_traits>

// Which sanitizer the engine tells of its fibers: test/worker/device/CMakeLists.txt.
#ifndef LONGTAIL_SIMT_ASAN
#define LONGTAIL_SIMT_ASAN 0
#endif
#ifndef LONGTAIL_SIMT_TSAN
#define LONGTAIL_SIMT_TSAN 0
#endif

#define LONGTAIL_SIMT_EMULATOR 1
#define __global__
#define __device__
#define __launch_bounds__(...)
#define LONGTAIL_SHARED(Type, name, size) auto& name = ::simt::Shared<Type[size]>([] {})
#define LONGTAIL_DYNAMIC_SHARED(Type, name) \
  Type* const name = static_cast<Type*>(::simt::DynamicShared())

namespace simt {

/// Which thread goes on, where several can. Seed 0 has them in their order.
struct Schedule {
  std::uint64_t seed = 0;
  bool preempts = false;  ///< Atomic operations, too, are places where another may go on.
};

struct Extent {
  unsigned x = 1;
  unsigned y = 1;
  unsigned z = 1;
};

struct Shape {
  Extent blocks{};
  Extent threads{};
  std::size_t shared_bytes = 0;
};

/// Runs body(argument) once for each thread of each block. What was wrong, naming block and cause;
/// empty if nothing was: then all threads ended.
std::string RunGrid(const Shape& shape, const Schedule& schedule, void (*body)(void*),
                    void* argument);

// For what stands below; called by threads of a kernel alone.
enum class Collective : int { kSyncWarp, kShuffle, kShuffleXor, kBallot };
unsigned ThreadIndex(int which);  // threadIdx x, y, z, blockIdx …, blockDim …, gridDim ….
unsigned LaneNumber();
void BlockBarrier();
void WarpBarrier(unsigned mask, Collective operation, bool is_second);
void Give(std::uint64_t value);
std::uint64_t Take(unsigned lane);
void MayPreempt();
void Fail(const char* cause);
void* DynamicShared();
void* StaticShared(const void* site, std::size_t bytes);

template <typename Body>
std::string Launch(const Shape& shape, const Schedule& schedule, Body body) {
  return RunGrid(
      shape, schedule, [](void* argument) { (*static_cast<Body*>(argument))(); }, &body);
}

template <typename Array, typename Site>
Array& Shared(Site) {
  static const char site = 0;
  return *static_cast<Array*>(StaticShared(&site, sizeof(Array)));
}

template <typename T>
std::uint64_t ToBits(T value) {
  static_assert(sizeof(T) <= 8 && std::is_trivially_copyable_v<T>);
  std::uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof(value));
  return bits;
}

template <typename T>
T FromBits(std::uint64_t bits) {
  T value;
  std::memcpy(&value, &bits, sizeof(value));
  return value;
}

// Read through calls, which the thread sanitizer does not see: an index is no shared memory.
template <int kWhich>
struct Index {
  operator unsigned() const { return ThreadIndex(kWhich); }  // NOLINT
};
template <int kFirst>
struct Index3 {
  Index<kFirst> x;
  Index<kFirst + 1> y;
  Index<kFirst + 2> z;
};

template <typename T, typename SourceLane>
T Exchange(unsigned mask, T value, Collective operation, SourceLane source_lane) {
  Give(ToBits(value));
  WarpBarrier(mask, operation, false);
  const unsigned lane = source_lane(LaneNumber());
  if ((mask >> lane & 1) == 0) Fail("a shuffle reads a lane that its mask does not name");
  const T result = FromBits<T>(Take(lane));
  WarpBarrier(mask, operation, true);
  return result;
}

}  // namespace simt

inline constexpr simt::Index3<0> threadIdx{};
inline constexpr simt::Index3<3> blockIdx{};
inline constexpr simt::Index3<6> blockDim{};
inline constexpr simt::Index3<9> gridDim{};

inline void __syncthreads() {
  simt::BlockBarrier();
}

inline void __syncwarp(unsigned mask = ~0U) {
  simt::WarpBarrier(mask, simt::Collective::kSyncWarp, false);
}

template <typename T>
T __shfl_sync(unsigned mask, T value, int source, int width = 32) {
  const auto group = static_cast<unsigned>(width);
  return simt::Exchange(mask, value, simt::Collective::kShuffle, [=](unsigned lane) {
    return (lane & ~(group - 1)) | (static_cast<unsigned>(source) & (group - 1));
  });
}

template <typename T>
T __shfl_xor_sync(unsigned mask, T value, int flipped, int width = 32) {
  const auto group = static_cast<unsigned>(width);
  return simt::Exchange(mask, value, simt::Collective::kShuffleXor, [=](unsigned lane) {
    const unsigned other = lane ^ static_cast<unsigned>(flipped);
    return (other & ~(group - 1)) > (lane & ~(group - 1)) ? lane : other;
  });
}

inline unsigned __ballot_sync(unsigned mask, int predicate) {
  simt::Give(predicate != 0 ? 1 : 0);
  simt::WarpBarrier(mask, simt::Collective::kBallot, false);
  unsigned result = 0;
  for (unsigned lane = 0; lane < 32; ++lane) {
    if ((mask >> lane & 1) != 0 && simt::Take(lane) != 0) result |= 1U << lane;
  }
  simt::WarpBarrier(mask, simt::Collective::kBallot, true);
  return result;
}

inline int __ffs(int bits) {
  return __builtin_ffs(bits);
}

template <typename T>
T atomicAdd(T* address, T value) {
  static_assert(std::is_integral_v<T>, "a sum of floats would depend on the schedule");
  simt::MayPreempt();
  return __atomic_fetch_add(address, value, __ATOMIC_RELAXED);
}
