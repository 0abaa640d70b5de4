// The one product of matrices everything dense is made of.
//
// A narrow seam: whatever can multiply two row-major float matrices can carry
// the layers of this folder. OpenBLAS does it here; tests and the benchmark
// bring their own.
#pragma once

#include <memory>

#include "examples/common/nn/matrix.h"

namespace longtail::examples {

enum class Transpose { kNo, kYes };

/// C = alpha * op(A) * op(B) + beta * C. With beta 0, C is only written.
struct GemmCall {
  Transpose transpose_a = Transpose::kNo;
  Transpose transpose_b = Transpose::kNo;
  ConstMatrix a;  ///< [m, k] as stored, or [k, m] if transposed.
  ConstMatrix b;  ///< [k, n] as stored, or [n, k] if transposed.
  Matrix c;       ///< [m, n]; overlaps neither a nor b.
  float alpha = 1;
  float beta = 0;
};

/// Multiplies matrices, each product on one thread: the same call gives the same bits.
///
/// Thread: any thread; calls may overlap.
class Gemm {
 public:
  virtual ~Gemm() = default;
  virtual void Multiply(const GemmCall& call) const = 0;

  /// As Multiply, of a product that nobody wants before Finish: another thread may see to it.
  /// Until then a and b must stay as they are, and no other call may write to c.
  virtual void Begin(const GemmCall& call) const { Multiply(call); }

  /// Waits for the products that were begun.
  virtual void Finish() const {}
};

/// Multiplies with OpenBLAS on the calling thread: what the Gemm below does. The same for whoever
/// wants a function; MakeOpenBlasGemm must have been called.
void MultiplyWithOpenBlas(const GemmCall& call);

/// Returns a Gemm of OpenBLAS.
///
/// Sets OpenBLAS to one thread, for the whole process (the library knows no
/// other scope): trainers run one replica a core, and a product split among
/// threads would depend on their number.
/// Cost:   OpenBLAS keeps a packing buffer of its own per calling thread.
std::unique_ptr<Gemm> MakeOpenBlasGemm();

/// Name of the kernels OpenBLAS chose for this processor, for reports.
const char* OpenBlasCoreName();

}  // namespace longtail::examples
