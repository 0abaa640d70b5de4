// Moves dense parameters by the rules of base/dense_step.h.
//
// What changes from step to step, a schedule's rate and Adam's corrections, lies in the device's
// memory: so the same calls serve every step, and may be recorded (device.h).
#pragma once

#include <cstdint>

#include "base/dense_step.h"
#include "base/host_device.h"
#include "worker/device/kernels/loops.h"

namespace longtail::device {

/// The weights of one tensor, and what is done to their gradients first.
struct DenseSlice {
  float* weights = nullptr;          ///< [count]
  const float* gradients = nullptr;  ///< [count]
  float scale = 1;                   ///< Gradients are multiplied by it before all else.
  float clip = 0;                    ///< Then they are cut to +-clip; an infinity cuts nothing.
  float decay = 0;                   ///< Times the weight, added to the gradient.
  std::uint32_t count = 0;

  LONGTAIL_HOST_DEVICE float Shaped(float gradient, float weight) const {
    return dense::ShapedGradient(gradient * scale, weight, clip, decay);
  }
};

struct DenseSgdCall {
  DenseSlice slice{};
  const float* learning_rate = nullptr;  ///< [1]
};

struct DenseMomentumCall {
  DenseSlice slice{};
  float* velocities = nullptr;           ///< [count]
  const float* learning_rate = nullptr;  ///< [1]
  float momentum = 0;
};

struct DenseAdagradCall {
  DenseSlice slice{};
  float* sums = nullptr;                 ///< [count]
  const float* learning_rate = nullptr;  ///< [1]
  float epsilon = 0;
};

struct DenseAdamCall {
  DenseSlice slice{};
  float* first = nullptr;                  ///< [count]
  float* second = nullptr;                 ///< [count]
  const float* rate = nullptr;             ///< [1] As of dense::AdamConstants, all of these.
  const float* root_correction = nullptr;  ///< [1]
  float beta1 = 0;
  float beta2 = 0;
  float epsilon = 0;

  LONGTAIL_HOST_DEVICE dense::AdamConstants Constants() const {
    return {.rate = *rate,
            .root_correction = *root_correction,
            .beta1 = beta1,
            .beta2 = beta2,
            .epsilon = epsilon};
  }
};

template <typename Lane>
struct DenseSgdItem {
  DenseSgdCall call;

  LONGTAIL_HOST_DEVICE void operator()(std::uint32_t i) const {
    const std::uint32_t at = i * kWidth<Lane>;
    Lane gradient = LaneAt<Lane>(call.slice.gradients + at);
    Lane weight = LaneAt<Lane>(call.slice.weights + at);
    ForEachFloat(Rule{call.slice, *call.learning_rate}, gradient, weight);
    LaneAt<Lane>(call.slice.weights + at) = weight;
  }

 private:
  struct Rule {
    const DenseSlice& slice;
    float learning_rate;

    LONGTAIL_HOST_DEVICE void operator()(float gradient, float& weight) const {
      dense::SgdStep(learning_rate, slice.Shaped(gradient, weight), weight);
    }
  };
};

template <typename Lane>
struct DenseMomentumItem {
  DenseMomentumCall call;

  LONGTAIL_HOST_DEVICE void operator()(std::uint32_t i) const {
    const std::uint32_t at = i * kWidth<Lane>;
    Lane gradient = LaneAt<Lane>(call.slice.gradients + at);
    Lane weight = LaneAt<Lane>(call.slice.weights + at);
    Lane velocity = LaneAt<Lane>(call.velocities + at);
    ForEachFloat(Rule{call, *call.learning_rate}, gradient, weight, velocity);
    LaneAt<Lane>(call.slice.weights + at) = weight;
    LaneAt<Lane>(call.velocities + at) = velocity;
  }

 private:
  struct Rule {
    const DenseMomentumCall& call;
    float learning_rate;

    LONGTAIL_HOST_DEVICE void operator()(float gradient, float& weight, float& velocity) const {
      dense::SgdMomentumStep(learning_rate, call.momentum, call.slice.Shaped(gradient, weight),
                             weight, velocity);
    }
  };
};

template <typename Lane>
struct DenseAdagradItem {
  DenseAdagradCall call;

  LONGTAIL_HOST_DEVICE void operator()(std::uint32_t i) const {
    const std::uint32_t at = i * kWidth<Lane>;
    Lane gradient = LaneAt<Lane>(call.slice.gradients + at);
    Lane weight = LaneAt<Lane>(call.slice.weights + at);
    Lane sum = LaneAt<Lane>(call.sums + at);
    ForEachFloat(Rule{call, *call.learning_rate}, gradient, weight, sum);
    LaneAt<Lane>(call.slice.weights + at) = weight;
    LaneAt<Lane>(call.sums + at) = sum;
  }

 private:
  struct Rule {
    const DenseAdagradCall& call;
    float learning_rate;

    LONGTAIL_HOST_DEVICE void operator()(float gradient, float& weight, float& sum) const {
      dense::AdagradStep(learning_rate, call.epsilon, call.slice.Shaped(gradient, weight), weight,
                         sum);
    }
  };
};

template <typename Lane>
struct DenseAdamItem {
  DenseAdamCall call;

  LONGTAIL_HOST_DEVICE void operator()(std::uint32_t i) const {
    const std::uint32_t at = i * kWidth<Lane>;
    Lane gradient = LaneAt<Lane>(call.slice.gradients + at);
    Lane weight = LaneAt<Lane>(call.slice.weights + at);
    Lane first = LaneAt<Lane>(call.first + at);
    Lane second = LaneAt<Lane>(call.second + at);
    ForEachFloat(Rule{call.slice, call.Constants()}, gradient, weight, first, second);
    LaneAt<Lane>(call.slice.weights + at) = weight;
    LaneAt<Lane>(call.first + at) = first;
    LaneAt<Lane>(call.second + at) = second;
  }

 private:
  struct Rule {
    const DenseSlice& slice;
    const dense::AdamConstants constants;

    LONGTAIL_HOST_DEVICE void operator()(float gradient, float& weight, float& first,
                                         float& second) const {
      dense::AdamStep(constants, slice.Shaped(gradient, weight), weight, first, second);
    }
  };
};

template <typename Grid>
void Run(const DenseSgdCall& call, Grid& grid) {
  ForEachLane<DenseSgdItem>(grid, call, call.slice.count, call.slice.weights, call.slice.gradients);
}
template <typename Grid>
void Run(const DenseMomentumCall& call, Grid& grid) {
  ForEachLane<DenseMomentumItem>(grid, call, call.slice.count, call.slice.weights,
                                 call.slice.gradients, call.velocities);
}
template <typename Grid>
void Run(const DenseAdagradCall& call, Grid& grid) {
  ForEachLane<DenseAdagradItem>(grid, call, call.slice.count, call.slice.weights,
                                call.slice.gradients, call.sums);
}
template <typename Grid>
void Run(const DenseAdamCall& call, Grid& grid) {
  ForEachLane<DenseAdamItem>(grid, call, call.slice.count, call.slice.weights, call.slice.gradients,
                             call.first, call.second);
}

}  // namespace longtail::device
