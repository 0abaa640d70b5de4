#include "worker/device/kernels/factorization.h"

namespace longtail::device {

void Run(const PairSumsCall& call, Loops&) {
  for (std::uint32_t e = 0; e < call.examples; ++e) {
    float value = 0;
    for (std::uint32_t d = 0; d < call.dim; ++d) {
      const ColumnSums of = SumOverFields(call, e, d);
      call.sums[std::size_t{e} * call.dim + d] = of.sum;
      value += of.sum * of.sum - of.squares;
    }
    call.logits[e] += 0.5F * value;
  }
}

}  // namespace longtail::device
