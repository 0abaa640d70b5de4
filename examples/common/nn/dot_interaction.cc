#include "examples/common/nn/dot_interaction.h"

#include <algorithm>
#include <type_traits>

#include "examples/common/nn/fixed_dim.h"
#include "examples/common/nn/vec.h"

namespace longtail::examples {
namespace {

constexpr std::size_t kLanes = EightLanes::kWidth;
constexpr std::size_t kTile =
    4;  // Rows of a tile: with eight lanes wide enough to hide the adders' delay.

/// One example's matrices.
struct Example {
  std::size_t vectors;
  std::size_t dim;
  std::size_t padded;
  float* transposed;
  float* square;
};

// square[i][j] = v_i . v_j for all tiles that touch the lower triangle. Each tile is 4 rows of 8
// products that stay in registers while d runs.
template <std::size_t kDim>
void Products(const float* v, const Example& e) {
  const std::size_t dim = kDim == 0 ? e.dim : kDim;
  for (std::size_t i = 0; i < e.vectors; ++i) {
    for (std::size_t d = 0; d < dim; ++d) e.transposed[d * e.padded + i] = v[i * dim + d];
  }
  for (std::size_t i = 0; i < e.vectors; i += kTile) {
    // Rows past the last repeat it; what they give is not read.
    const float* rows[kTile];
    for (std::size_t r = 0; r < kTile; ++r) rows[r] = v + std::min(i + r, e.vectors - 1) * dim;
    for (std::size_t j = 0; j < i + kTile; j += kLanes) {
      EightLanes::Vec sums[kTile] = {};
      const float* column = e.transposed + j;
      for (std::size_t d = 0; d < dim; ++d) {
        const EightLanes::Vec across = EightLanes::Load(column + d * e.padded);
        for (std::size_t r = 0; r < kTile; ++r) sums[r] += across * rows[r][d];
      }
      for (std::size_t r = 0; r < kTile; ++r) {
        EightLanes::Store(sums[r], e.square + (i + r) * e.padded + j);
      }
    }
  }
}

// y = lower triangle of square, rows one behind the other.
void PackTriangle(const Example& e, float* y) {
  for (std::size_t i = 1; i < e.vectors; ++i) {
    const float* row = e.square + i * e.padded;
    if (i + 1 < e.vectors) {
      // Whole vectors: what runs over is where the next row goes, and one always follows that is
      // longer than the excess, but for the first rows, which are copied one by one.
      if (i >= kLanes) {
        for (std::size_t j = 0; j < i; j += kLanes) {
          EightLanes::Store(EightLanes::Load(row + j), y + j);
        }
        y += i;
        continue;
      }
    }
    for (std::size_t j = 0; j < i; ++j) y[j] = row[j];
    y += i;
  }
}

// square = the symmetric matrix of which y is the lower triangle, zero on the diagonal.
void UnpackTriangle(const float* y, const Example& e) {
  for (std::size_t i = 1; i < e.vectors; ++i) {
    float* row = e.square + i * e.padded;
    float* column = e.square + i;
    for (std::size_t j = 0; j < i; ++j) row[j] = y[j];
    for (std::size_t j = 0; j < i; ++j) column[j * e.padded] = y[j];
    y += i;
  }
}

// dv = square V: with the gradient by each product in both halves, v_i gets the sum over all j.
// A tile is 4 rows of dv, all of their columns in registers while j runs.
template <std::size_t kDim>
void ProductGradients(const float* v, const Example& e, float* dv) {
  using RowLanes = std::conditional_t<kDim % kLanes == 0, EightLanes, FourLanes>;
  constexpr std::size_t kWidth = RowLanes::kWidth;
  constexpr std::size_t kRowVecs = kDim / kWidth;
  constexpr std::size_t kRows = kRowVecs > 2 ? 2 : kTile;  // Sixteen registers hold no more.
  for (std::size_t i = 0; i < e.vectors; i += kRows) {
    typename RowLanes::Vec sums[kRows][kRowVecs] = {};
    const float* square = e.square + i * e.padded;
    for (std::size_t j = 0; j < e.vectors; ++j) {
      for (std::size_t c = 0; c < kRowVecs; ++c) {
        const typename RowLanes::Vec across = RowLanes::Load(v + j * kDim + c * kWidth);
        for (std::size_t r = 0; r < kRows; ++r) sums[r][c] += across * square[r * e.padded + j];
      }
    }
    const std::size_t rows = std::min(kRows, e.vectors - i);
    for (std::size_t r = 0; r < rows; ++r) {
      for (std::size_t c = 0; c < kRowVecs; ++c) {
        RowLanes::Store(sums[r][c], dv + (i + r) * kDim + c * kWidth);
      }
    }
  }
}

// The same for a dimension only known at run time.
template <>
void ProductGradients<0>(const float* __restrict v, const Example& e, float* __restrict dv) {
  for (std::size_t i = 0; i < e.vectors; ++i) {
    float* row = dv + i * e.dim;
    std::fill_n(row, e.dim, 0.0F);
    for (std::size_t j = 0; j < e.vectors; ++j) {
      const float gradient = e.square[i * e.padded + j];
      for (std::size_t d = 0; d < e.dim; ++d) row[d] += gradient * v[j * e.dim + d];
    }
  }
}

}  // namespace

DotInteraction::DotInteraction(std::size_t vector_count, std::size_t dim)
    : vectors_(vector_count),
      dim_(dim),
      padded_((vector_count + kLanes - 1) / kLanes * kLanes),
      transposed_(dim_ * padded_),
      square_(padded_ * padded_) {}

void DotInteraction::Forward(ConstMatrix v, Matrix y) {
  const Example example{vectors_, dim_, padded_, transposed_.data(), square_.data()};
  WithFixedDim(dim_, [&](auto fixed) {
    for (std::size_t i = 0; i < v.rows; ++i) {
      Products<decltype(fixed)::value>(v.row(i), example);
      std::copy_n(v.row(i), dim_, y.row(i));
      PackTriangle(example, y.row(i) + dim_);
    }
  });
}

void DotInteraction::Backward(ConstMatrix v, ConstMatrix dy, Matrix dv) {
  const Example example{vectors_, dim_, padded_, transposed_.data(), square_.data()};
  for (std::size_t i = 0; i < vectors_; ++i) square_.data()[i * padded_ + i] = 0;
  WithFixedDim(dim_, [&](auto fixed) {
    for (std::size_t i = 0; i < v.rows; ++i) {
      UnpackTriangle(dy.row(i) + dim_, example);
      ProductGradients<decltype(fixed)::value>(v.row(i), example, dv.row(i));
      for (std::size_t d = 0; d < dim_; ++d) dv.row(i)[d] += dy.row(i)[d];
    }
  });
}

}  // namespace longtail::examples
