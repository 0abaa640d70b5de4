// The one matrix product, for row-major floats, and its lowering to a column-major BLAS.
#pragma once

#include <cstdint>

namespace longtail::device {

/// C = alpha * op(A) * op(B) + beta * C, row-major. With beta 0, C is only written.
struct Gemm {
  bool transpose_a = false;
  bool transpose_b = false;
  std::int32_t rows = 0;      ///< Of C and op(A).
  std::int32_t columns = 0;   ///< Of C and op(B).
  std::int32_t inner = 0;     ///< Columns of op(A), rows of op(B).
  const float* a = nullptr;   ///< [rows, inner] as stored, or [inner, rows] if transposed.
  std::int32_t a_stride = 0;  ///< Floats from one stored row to the next.
  const float* b = nullptr;   ///< [inner, columns], or [columns, inner] if transposed.
  std::int32_t b_stride = 0;
  float* c = nullptr;  ///< [rows, columns]; overlaps neither a nor b.
  std::int32_t c_stride = 0;
  float alpha = 1;
  float beta = 0;
};

/// A product as BLAS libraries take it, with the names that they use.
struct ColumnMajorGemm {
  bool transpose_a;
  bool transpose_b;
  std::int32_t m;
  std::int32_t n;
  std::int32_t k;
  const float* a;
  std::int32_t lda;
  const float* b;
  std::int32_t ldb;
  float* c;
  std::int32_t ldc;
  float alpha;
  float beta;
};

/// A row-major matrix is the transposed one in column-major order: C^T = op(B)^T op(A)^T.
constexpr ColumnMajorGemm Lower(const Gemm& gemm) {
  return {.transpose_a = gemm.transpose_b,
          .transpose_b = gemm.transpose_a,
          .m = gemm.columns,
          .n = gemm.rows,
          .k = gemm.inner,
          .a = gemm.b,
          .lda = gemm.b_stride,
          .b = gemm.a,
          .ldb = gemm.a_stride,
          .c = gemm.c,
          .ldc = gemm.c_stride,
          .alpha = gemm.alpha,
          .beta = gemm.beta};
}

/// Multiplies on the calling thread.
using CpuGemm = void (*)(const ColumnMajorGemm&);

/// Plain loops, each sum by ascending k: a reference, and what there is without a BLAS.
void PlainGemm(const ColumnMajorGemm& gemm);

/// With how many digits a CUDA device multiplies.
enum class GemmPrecision : std::uint8_t {
  kFloat32 = 0,
  kTf32 = 1,      ///< Factors are rounded to 10 bits of mantissa.
  kBfloat16 = 2,  ///< Factors are rounded to 7 bits of mantissa; sums are fp32.
};

}  // namespace longtail::device
