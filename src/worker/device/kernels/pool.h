// Gathers rows and pools them: sum, mean, weighted, or one behind another.
//
// Results are written where the next layer reads them: field f of an example is at column f * dim
// of its row. Sums are taken in the order of keys, as the trainers' own code does (FieldGather of
// examples/ctr).
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/host_device.h"
#include "worker/device/kernels/bag.h"
#include "worker/device/kernels/loops.h"

namespace longtail::device {

struct PoolCall {
  const float* rows = nullptr;             ///< [unique, row_stride], from the first column pooled.
  const std::uint32_t* inverse = nullptr;  ///< [keys] the row of each key.
  Bags bags{};
  float* pooled = nullptr;  ///< [examples, pooled_stride], fields * dim of them written.
  std::uint32_t row_stride = 0;
  std::uint32_t pooled_stride = 0;
  std::uint32_t dim = 0;
  Pooling pooling = Pooling::kSum;
};

/// One lane of one bag; kLanes are those of a row, 0 if that is known at run time alone.
template <typename Lane, std::uint32_t kLanes>
struct PoolItem {
  PoolCall call;

  LONGTAIL_HOST_DEVICE void operator()(std::uint32_t i) const {
    const std::uint32_t lanes = kLanes == 0 ? call.dim / kWidth<Lane> : kLanes;
    const std::uint32_t in_example = call.bags.fields * lanes;
    const std::uint32_t example = i / in_example;
    const std::uint32_t rest = i - example * in_example;
    const std::uint32_t field = rest / lanes;
    const std::uint32_t column = (rest - field * lanes) * kWidth<Lane>;
    const std::uint32_t bag = example * call.bags.fields + field;
    LaneAt<Lane>(call.pooled + std::size_t{example} * call.pooled_stride + rest * kWidth<Lane>) =
        Pooled(bag, column);
  }

 private:
  LONGTAIL_HOST_DEVICE Lane Pooled(std::uint32_t bag, std::uint32_t column) const {
    if (call.bags.offsets == nullptr && call.bags.values == nullptr) return RowLane(bag, column);
    const std::uint32_t begin = call.bags.offsets == nullptr ? bag : call.bags.offsets[bag];
    const std::uint32_t end = call.bags.offsets == nullptr ? bag + 1 : call.bags.offsets[bag + 1];
    Lane sum = Zero<Lane>();
    for (std::uint32_t key = begin; key < end; ++key) {
      sum = sum + KeyWeight(call.bags, call.pooling, key, end - begin) * RowLane(key, column);
    }
    return sum;
  }

  LONGTAIL_HOST_DEVICE Lane RowLane(std::uint32_t key, std::uint32_t column) const {
    return LaneAt<Lane>(call.rows + std::size_t{call.inverse[key]} * call.row_stride + column);
  }
};

/// linear[e] += the sum over all keys of an example, of its value times the weight of its row.
struct PoolLinearCall {
  const float* rows = nullptr;             ///< [unique, row_stride], from the weight on.
  const std::uint32_t* inverse = nullptr;  ///< [keys]
  Bags bags{};
  float* linear = nullptr;  ///< [examples]
  std::uint32_t row_stride = 0;

  LONGTAIL_HOST_DEVICE void operator()(std::uint32_t example) const {
    const std::uint32_t first = example * bags.fields;
    const std::uint32_t end_bag = first + bags.fields;
    const std::uint32_t begin = bags.offsets == nullptr ? first : bags.offsets[first];
    const std::uint32_t end = bags.offsets == nullptr ? end_bag : bags.offsets[end_bag];
    float sum = 0;
    for (std::uint32_t key = begin; key < end; ++key) {
      sum += KeyWeight(bags, Pooling::kSum, key, 1) * rows[std::size_t{inverse[key]} * row_stride];
    }
    linear[example] += sum;
  }
};

void Run(const PoolCall& call, Loops& loops);

template <typename Grid>
void Run(const PoolCall& call, Grid& grid) {
  const std::uint32_t bags = call.bags.examples * call.bags.fields;
  const bool by_quads = call.dim % 4 == 0 && call.row_stride % 4 == 0 &&
                        call.pooled_stride % 4 == 0 && IsQuadAligned(call.rows) &&
                        IsQuadAligned(call.pooled);
  if (!by_quads) return grid.ForEach(bags * call.dim, PoolItem<float, 0>{call});
  switch (call.dim) {
    case 4:
      return grid.ForEach(bags, PoolItem<Quad, 1>{call});
    case 8:
      return grid.ForEach(bags * 2, PoolItem<Quad, 2>{call});
    case 16:
      return grid.ForEach(bags * 4, PoolItem<Quad, 4>{call});
    case 32:
      return grid.ForEach(bags * 8, PoolItem<Quad, 8>{call});
    case 64:
      return grid.ForEach(bags * 16, PoolItem<Quad, 16>{call});
    case 128:
      return grid.ForEach(bags * 32, PoolItem<Quad, 32>{call});
    default:
      return grid.ForEach(bags * (call.dim / 4), PoolItem<Quad, 0>{call});
  }
}
template <typename Grid>
void Run(const PoolLinearCall& call, Grid& grid) {
  grid.ForEach(call.bags.examples, call);
}

}  // namespace longtail::device
