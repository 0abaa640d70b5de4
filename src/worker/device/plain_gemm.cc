#include <cstddef>

#include "worker/device/gemm.h"

namespace longtail::device {

void PlainGemm(const ColumnMajorGemm& gemm) {
  const auto at = [](const float* matrix, bool transposed, std::int32_t stride, std::int32_t row,
                     std::int32_t column) {
    const auto across = static_cast<std::size_t>(transposed ? row : column);
    const auto along = static_cast<std::size_t>(transposed ? column : row);
    return matrix[across * static_cast<std::size_t>(stride) + along];
  };
  for (std::int32_t j = 0; j < gemm.n; ++j) {
    float* column = gemm.c + static_cast<std::size_t>(j) * static_cast<std::size_t>(gemm.ldc);
    for (std::int32_t i = 0; i < gemm.m; ++i) {
      float sum = 0;
      for (std::int32_t k = 0; k < gemm.k; ++k) {
        sum += at(gemm.a, gemm.transpose_a, gemm.lda, i, k) *
               at(gemm.b, gemm.transpose_b, gemm.ldb, k, j);
      }
      const float product = gemm.alpha * sum;
      column[i] = gemm.beta == 0 ? product : product + gemm.beta * column[i];
    }
  }
}

}  // namespace longtail::device
