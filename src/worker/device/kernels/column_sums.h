// Sums the columns of a matrix, as the gradient of a bias: parts of rows first, then the parts in
// their order. With the trainers' blocks of rows as parts, the bits are those of their own code.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/host_device.h"
#include "worker/device/kernels/loops.h"

namespace longtail::device {

/// parts[p, j] = the sum of x[i, j] over rows i of part p, ascending.
struct ColumnPartsCall {
  const float* x = nullptr;  ///< [rows, columns]
  float* parts = nullptr;    ///< [PartCount, columns]
  std::uint32_t rows = 0;
  std::uint32_t columns = 0;
  std::uint32_t part_rows = 512;

  LONGTAIL_HOST_DEVICE std::uint32_t PartCount() const { return (rows - 1) / part_rows + 1; }
};

/// sums[j] += parts[0, j], then parts[1, j], …
struct AddPartsCall {
  const float* parts = nullptr;  ///< [part_count, columns]
  float* sums = nullptr;         ///< [columns]
  std::uint32_t part_count = 0;
  std::uint32_t columns = 0;

  LONGTAIL_HOST_DEVICE void operator()(std::uint32_t column) const {
    float sum = sums[column];
    for (std::uint32_t p = 0; p < part_count; ++p) sum += parts[std::size_t{p} * columns + column];
    sums[column] = sum;
  }
};

template <typename Lane>
struct ColumnPartsItem {
  ColumnPartsCall call;

  LONGTAIL_HOST_DEVICE void operator()(std::uint32_t i) const {
    const std::uint32_t lanes = call.columns / kWidth<Lane>;
    const std::uint32_t part = i / lanes;
    const std::uint32_t column = (i - part * lanes) * kWidth<Lane>;
    const std::uint32_t begin = part * call.part_rows;
    const std::uint32_t rest = call.rows - begin;
    const std::uint32_t end = begin + (rest < call.part_rows ? rest : call.part_rows);
    Lane sum = Zero<Lane>();
    for (std::uint32_t row = begin; row < end; ++row) {
      sum = sum + LaneAt<Lane>(call.x + std::size_t{row} * call.columns + column);
    }
    LaneAt<Lane>(call.parts + std::size_t{part} * call.columns + column) = sum;
  }
};

template <typename Grid>
void Run(const ColumnPartsCall& call, Grid& grid) {
  if (call.rows == 0) return;
  const std::uint32_t count = call.PartCount() * call.columns;
  if (call.columns % 4 == 0 && IsQuadAligned(call.x) && IsQuadAligned(call.parts)) {
    grid.ForEach(count / 4, ColumnPartsItem<Quad>{call});
  } else {
    grid.ForEach(count, ColumnPartsItem<float>{call});
  }
}
template <typename Grid>
void Run(const AddPartsCall& call, Grid& grid) {
  grid.ForEach(call.columns, call);
}

}  // namespace longtail::device
