// Views of row-major matrices of floats: a pointer, a shape and a stride.
//
// A view owns nothing. Indices are not checked; shapes are the caller's duty.
#pragma once

#include <cstddef>

#include "examples/common/nn/aligned_buffer.h"

namespace longtail::examples {

/// A matrix that may be written. Element (i, j) is data[i * stride + j].
struct Matrix {
  float* data = nullptr;
  std::size_t rows = 0;
  std::size_t columns = 0;
  std::size_t stride = 0;

  float* row(std::size_t i) const { return data + i * stride; }

  /// Rows begin .. begin + count.
  Matrix Rows(std::size_t begin, std::size_t count) const {
    return {row(begin), count, columns, stride};
  }

  /// Columns begin .. begin + count.
  Matrix Columns(std::size_t begin, std::size_t count) const {
    return {data + begin, rows, count, stride};
  }
};

/// A matrix that is only read.
struct ConstMatrix {
  const float* data = nullptr;
  std::size_t rows = 0;
  std::size_t columns = 0;
  std::size_t stride = 0;

  ConstMatrix() = default;
  ConstMatrix(const float* values, std::size_t row_count, std::size_t column_count,
              std::size_t row_stride)
      : data(values), rows(row_count), columns(column_count), stride(row_stride) {}
  ConstMatrix(const Matrix& m)  // NOLINT(google-explicit-constructor): a view loses nothing.
      : ConstMatrix(m.data, m.rows, m.columns, m.stride) {}

  const float* row(std::size_t i) const { return data + i * stride; }

  ConstMatrix Rows(std::size_t begin, std::size_t count) const {
    return {row(begin), count, columns, stride};
  }

  ConstMatrix Columns(std::size_t begin, std::size_t count) const {
    return {data + begin, rows, count, stride};
  }
};

/// A matrix with its memory: rows padded to whole cache lines, zero at first.
class MatrixBuffer {
 public:
  MatrixBuffer() = default;
  MatrixBuffer(std::size_t rows, std::size_t columns)
      : buffer_(rows * PaddedToLine(columns)), rows_(rows), columns_(columns) {}

  Matrix view() { return {buffer_.data(), rows_, columns_, PaddedToLine(columns_)}; }

 private:
  AlignedBuffer buffer_;
  std::size_t rows_ = 0;
  std::size_t columns_ = 0;
};

}  // namespace longtail::examples
