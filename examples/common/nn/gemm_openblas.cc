#include <cblas.h>

#include <cassert>

#include "examples/common/nn/gemm.h"

namespace longtail::examples {
namespace {

CBLAS_TRANSPOSE Flag(Transpose transpose) {
  return transpose == Transpose::kYes ? CblasTrans : CblasNoTrans;
}

class OpenBlasGemm final : public Gemm {
 public:
  OpenBlasGemm() { openblas_set_num_threads(1); }

  void Multiply(const GemmCall& call) const override { MultiplyWithOpenBlas(call); }
};

}  // namespace

void MultiplyWithOpenBlas(const GemmCall& call) {
  const bool transposed_a = call.transpose_a == Transpose::kYes;
  [[maybe_unused]] const bool transposed_b = call.transpose_b == Transpose::kYes;
  const std::size_t inner = transposed_a ? call.a.rows : call.a.columns;
  assert(call.c.rows == (transposed_a ? call.a.columns : call.a.rows));
  assert(call.c.columns == (transposed_b ? call.b.rows : call.b.columns));
  assert(inner == (transposed_b ? call.b.columns : call.b.rows));
  if (call.c.rows == 0 || call.c.columns == 0) return;
  cblas_sgemm(CblasRowMajor, Flag(call.transpose_a), Flag(call.transpose_b),
              static_cast<blasint>(call.c.rows), static_cast<blasint>(call.c.columns),
              static_cast<blasint>(inner), call.alpha, call.a.data,
              static_cast<blasint>(call.a.stride), call.b.data, static_cast<blasint>(call.b.stride),
              call.beta, call.c.data, static_cast<blasint>(call.c.stride));
}

std::unique_ptr<Gemm> MakeOpenBlasGemm() {
  return std::make_unique<OpenBlasGemm>();
}

const char* OpenBlasCoreName() {
  return openblas_get_corename();
}

}  // namespace longtail::examples
