// What kernels whose threads work together are written in: CUDA C++, and no more of it than this.
//
//   threadIdx blockIdx blockDim gridDim   __syncthreads   __shfl_sync __shfl_xor_sync __ballot_sync
//   atomicAdd   LONGTAIL_SHARED   LONGTAIL_DYNAMIC_SHARED
//
// The same source is compiled by nvcc and, in tests, against an emulator that runs each thread as a
// fiber under any schedule (test/worker/device/emulator.h); that header must come first there.
#pragma once

#if defined(__CUDACC__)
#include <cuda_runtime.h>

/// A block's array of fixed size.
#define LONGTAIL_SHARED(Type, name, size) __shared__ Type name[size]
/// A block's memory, as much as the launch gives.
#define LONGTAIL_DYNAMIC_SHARED(Type, name)                       \
  extern __shared__ __align__(16) unsigned char dynamic_shared[]; \
  Type* const name = reinterpret_cast<Type*>(dynamic_shared)
#elif !defined(LONGTAIL_SIMT_EMULATOR)
#error "a kernel needs nvcc, or the emulator's header before it"
#endif

namespace longtail::device {

inline constexpr unsigned kWarpSize = 32;
inline constexpr unsigned kAllLanes = 0xFFFFFFFF;

/// Reads and writes of what threads of other warps may write meanwhile: whole, in no order. Without
/// them that would be a race.
template <typename T>
__device__ inline T LoadRelaxed(const T* address) {
#if defined(__CUDACC__)
  return *static_cast<const volatile T*>(address);
#else
  return __atomic_load_n(address, __ATOMIC_RELAXED);
#endif
}
template <typename T>
__device__ inline void StoreRelaxed(T* address, T value) {
#if defined(__CUDACC__)
  *static_cast<volatile T*>(address) = value;
#else
  __atomic_store_n(address, value, __ATOMIC_RELAXED);
#endif
}

/// How a kernel is launched.
struct LaunchShape {
  unsigned blocks = 0;
  unsigned threads = 0;
  unsigned shared_bytes = 0;  ///< Of LONGTAIL_DYNAMIC_SHARED.
};

/// Beyond so many blocks, blocks take several pieces of work.
inline constexpr unsigned kBlocksMax = 1U << 16;

/// Blocks for `count` pieces of work of which a block takes `per_block` at a time.
inline unsigned BlocksFor(unsigned count, unsigned per_block) {
  const unsigned blocks = (count - 1) / per_block + 1;
  return blocks < kBlocksMax ? blocks : kBlocksMax;
}

}  // namespace longtail::device
