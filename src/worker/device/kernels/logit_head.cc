#include "worker/device/kernels/logit_head.h"

namespace longtail::device {

void Run(const LogitHeadCall& call, Loops&) {
  for (std::uint32_t e = 0; e < call.examples; ++e) {
    const float* x = call.x + std::size_t{e} * call.x_stride;
    float sums[kLogitSums];
    for (std::uint32_t place = 0; place < kLogitSums; ++place) {
      sums[place] = LogitSum(call, x, place);
    }
    float lanes[kLogitLanes];
    for (std::uint32_t k = 0; k < kLogitLanes; ++k) {
      lanes[k] = (sums[k] + sums[k + 8]) + (sums[k + 16] + sums[k + 24]);
    }
    const float sum = ((lanes[0] + lanes[4]) + (lanes[1] + lanes[5])) +
                      ((lanes[2] + lanes[6]) + (lanes[3] + lanes[7]));
    call.logits[e] += AddLogitRest(call, x, sum);
  }
}

}  // namespace longtail::device
