// Sigmoid and log loss of one logit, stable for any size of it: written once for CPU and GPU.
#pragma once

#include <cmath>

#include "base/host_device.h"

namespace longtail {

/// 1 / (1 + exp(-z)) from `small` = exp(-|z|), which never overflows.
LONGTAIL_HOST_DEVICE inline double SigmoidOf(double z, double small) {
  return z >= 0 ? 1 / (1 + small) : small / (1 + small);
}

/// max(z, 0) - z * label + log(1 + exp(-|z|)), from the same `small`.
LONGTAIL_HOST_DEVICE inline double LogLossOf(double z, double label, double small) {
  return (z > 0 ? z : 0.0) - z * label + std::log1p(small);
}

}  // namespace longtail
