// The dot interaction on a grid: a block takes an example, its vectors lie in shared memory.
//
// A thread computes a tile of 2 x 2 products, so four loads of a lane serve four multiplications
// each of a lane. Rows in shared memory are an odd number of lanes of 16 bytes apart: eight threads
// that read the same column of neighbouring rows then meet in no bank.
#pragma once

#include <cmath>
#include <cstddef>

#include "worker/device/kernels/dot_interaction.h"
#include "worker/device/kernels/simt.h"

namespace longtail::device {

/// What a block may have without asking the device for more.
inline constexpr unsigned kSharedBytesMax = 48 * 1024;
inline constexpr unsigned kDotThreadsMax = 128;

LONGTAIL_HOST_DEVICE constexpr std::uint32_t SharedRowStride(std::uint32_t dim) {
  return (dim + 3) / 4 % 2 == 0 ? (dim + 3) / 4 * 4 + 4 : (dim + 3) / 4 * 4;
}

/// The tile of a number, tiles of a lower triangle with its diagonal counted row by row.
LONGTAIL_HOST_DEVICE inline void TileOf(std::uint32_t number, std::uint32_t& row,
                                        std::uint32_t& column) {
  row = static_cast<std::uint32_t>((std::sqrt(8.0F * static_cast<float>(number) + 1) - 1) / 2);
  while (row * (row + 1) / 2 > number) --row;         // A root that was rounded up,
  while ((row + 1) * (row + 2) / 2 <= number) ++row;  // or down.
  column = number - row * (row + 1) / 2;
}

template <typename Lane>
LONGTAIL_HOST_DEVICE inline float AddProducts(float sum, const Lane& a, const Lane& b) {
  if constexpr (kWidth<Lane> == 1) {
    return sum + a * b;
  } else {
    sum += a.x * b.x;
    sum += a.y * b.y;
    sum += a.z * b.z;
    return sum + a.w * b.w;
  }
}

/// Copies an example's vectors, row by row, to where rows are `stride` apart.
template <typename Lane>
__device__ inline void StageVectors(const float* from, std::uint32_t vectors, std::uint32_t dim,
                                    std::uint32_t stride, float* to) {
  const std::uint32_t lanes = dim / kWidth<Lane>;
  for (std::uint32_t i = threadIdx.x; i < vectors * lanes; i += blockDim.x) {
    const std::uint32_t row = i / lanes;
    const std::uint32_t column = (i - row * lanes) * kWidth<Lane>;
    LaneAt<Lane>(to + row * stride + column) = LaneAt<Lane>(from + row * dim + column);
  }
}

// kStaged: vectors are read from shared memory; else they are too many, and are read where they
// are.
template <typename Lane, bool kStaged>
__global__ void __launch_bounds__(kDotThreadsMax) DotForward(DotInteractionCall call) {
  LONGTAIL_DYNAMIC_SHARED(float, shared);
  const std::uint32_t tile_rows = (call.vectors + 1) / 2;
  const std::uint32_t tiles = tile_rows * (tile_rows + 1) / 2;
  const std::uint32_t stride = kStaged ? SharedRowStride(call.dim) : call.dim;
  for (std::uint32_t e = blockIdx.x; e < call.examples; e += gridDim.x) {
    const float* const source = call.v + std::size_t{e} * call.v_stride;
    float* const y = call.y + std::size_t{e} * call.y_stride;
    if (kStaged) {
      StageVectors<Lane>(source, call.vectors, call.dim, stride, shared);
      __syncthreads();
    }
    const float* const v = kStaged ? shared : source;
    for (std::uint32_t d = threadIdx.x; d < call.dim; d += blockDim.x) y[d] = v[d];
    for (std::uint32_t t = threadIdx.x; t < tiles; t += blockDim.x) {
      std::uint32_t row, column;
      TileOf(t, row, column);
      const std::uint32_t i = row * 2;
      const std::uint32_t j = column * 2;
      // Rows past the last repeat it; what they give is not written.
      const std::uint32_t last = call.vectors - 1;
      const float* const a0 = v + i * stride;
      const float* const a1 = v + (i < last ? i + 1 : last) * stride;
      const float* const b0 = v + j * stride;
      const float* const b1 = v + (j < last ? j + 1 : last) * stride;
      float s00 = 0, s01 = 0, s10 = 0, s11 = 0;
      for (std::uint32_t d = 0; d < call.dim; d += kWidth<Lane>) {
        const Lane x0 = LaneAt<Lane>(a0 + d);
        const Lane x1 = LaneAt<Lane>(a1 + d);
        const Lane z0 = LaneAt<Lane>(b0 + d);
        const Lane z1 = LaneAt<Lane>(b1 + d);
        s00 = AddProducts(s00, x0, z0);
        s01 = AddProducts(s01, x0, z1);
        s10 = AddProducts(s10, x1, z0);
        s11 = AddProducts(s11, x1, z1);
      }
      float* const pairs = y + call.dim;
      if (j < i) {
        pairs[PairPlace(i, j)] = s00;
        pairs[PairPlace(i, j + 1)] = s01;
      }
      if (i < last) {
        pairs[PairPlace(i + 1, j)] = s10;
        if (j < i) pairs[PairPlace(i + 1, j + 1)] = s11;
      }
    }
    if (kStaged) __syncthreads();  // The next example's vectors take the place of these.
  }
}

// dv_i = sum over j of g_ij v_j, with g symmetric and its diagonal zero.
template <typename Lane, bool kStaged>
__global__ void __launch_bounds__(kDotThreadsMax) DotBackward(DotGradientCall call) {
  LONGTAIL_DYNAMIC_SHARED(float, shared);
  const std::uint32_t n = call.vectors;
  const std::uint32_t lanes = call.dim / kWidth<Lane>;
  const std::uint32_t stride = kStaged ? SharedRowStride(call.dim) : call.dim;
  float* const square = shared + n * stride;  // [n, n]
  for (std::uint32_t e = blockIdx.x; e < call.examples; e += gridDim.x) {
    const float* const source = call.v + std::size_t{e} * call.v_stride;
    const float* const dy = call.dy + std::size_t{e} * call.y_stride;
    const float* const pairs = dy + call.dim;
    float* const dv = call.dv + std::size_t{e} * call.v_stride;
    if (kStaged) {
      StageVectors<Lane>(source, n, call.dim, stride, shared);
      for (std::uint32_t i = threadIdx.x; i < n * n; i += blockDim.x) {
        const std::uint32_t row = i / n;
        const std::uint32_t column = i - row * n;
        square[i] = row == column  ? 0
                    : row > column ? pairs[PairPlace(row, column)]
                                   : pairs[PairPlace(column, row)];
      }
      __syncthreads();
    }
    const float* const v = kStaged ? shared : source;
    for (std::uint32_t i = threadIdx.x; i < n * lanes; i += blockDim.x) {
      const std::uint32_t row = i / lanes;
      const std::uint32_t column = (i - row * lanes) * kWidth<Lane>;
      Lane sum = Zero<Lane>();
      for (std::uint32_t j = 0; j < n; ++j) {
        if (!kStaged && j == row) continue;
        const float gradient = kStaged   ? square[row * n + j]
                               : j < row ? pairs[PairPlace(row, j)]
                                         : pairs[PairPlace(j, row)];
        sum = sum + gradient * LaneAt<Lane>(v + j * stride + column);
      }
      if (row == 0) sum = sum + LaneAt<Lane>(dy + column);
      LaneAt<Lane>(dv + row * call.dim + column) = sum;
    }
    if (kStaged) __syncthreads();
  }
}

/// Threads of a block for so many pieces of work: whole warps, no more than there is work for.
inline unsigned DotThreads(std::uint32_t work) {
  const unsigned warps = (work + kWarpSize - 1) / kWarpSize;
  return warps * kWarpSize < kDotThreadsMax ? warps * kWarpSize : kDotThreadsMax;
}

template <typename Grid>
void Run(const DotInteractionCall& call, Grid& grid) {
  if (call.examples == 0 || call.vectors == 0) return;
  const std::uint32_t rows = (call.vectors + 1) / 2;
  const std::size_t bytes = std::size_t{call.vectors} * SharedRowStride(call.dim) * sizeof(float);
  const bool is_staged = bytes <= kSharedBytesMax;
  const bool by_quads = call.dim % 4 == 0 && call.v_stride % 4 == 0 && IsQuadAligned(call.v);
  const LaunchShape shape{.blocks = BlocksFor(call.examples, 1),
                          .threads = DotThreads(rows * (rows + 1) / 2),
                          .shared_bytes = is_staged ? static_cast<unsigned>(bytes) : 0};
  if (by_quads) {
    grid.Launch(is_staged ? &DotForward<Quad, true> : &DotForward<Quad, false>, shape, call);
  } else {
    grid.Launch(is_staged ? &DotForward<float, true> : &DotForward<float, false>, shape, call);
  }
}

template <typename Grid>
void Run(const DotGradientCall& call, Grid& grid) {
  if (call.examples == 0 || call.vectors == 0) return;
  const std::size_t n = call.vectors;
  const std::size_t bytes = (n * SharedRowStride(call.dim) + n * n) * sizeof(float);
  const bool is_staged = bytes <= kSharedBytesMax;
  const bool by_quads = call.dim % 4 == 0 && call.v_stride % 4 == 0 && call.y_stride % 4 == 0 &&
                        IsQuadAligned(call.v) && IsQuadAligned(call.dv) && IsQuadAligned(call.dy);
  const std::uint32_t lanes = by_quads ? call.dim / 4 : call.dim;
  const LaunchShape shape{.blocks = BlocksFor(call.examples, 1),
                          .threads = DotThreads(call.vectors * lanes),
                          .shared_bytes = is_staged ? static_cast<unsigned>(bytes) : 0};
  if (by_quads) {
    grid.Launch(is_staged ? &DotBackward<Quad, true> : &DotBackward<Quad, false>, shape, call);
  } else {
    grid.Launch(is_staged ? &DotBackward<float, true> : &DotBackward<float, false>, shape, call);
  }
}

}  // namespace longtail::device
