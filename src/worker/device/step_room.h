// The memory of one training step in flight: what the host sends, what the device makes of it, and
// what comes back.
//
//   pinned   | inputs | ranks, rows |            | row gradients, logits, losses |
//                 v          v                        ^
//   device   | inputs | ranks, rows |  | work |  | row gradients, logits, losses |
//
// Arrays are laid out anew for each step, one behind another, so that one copy brings all of a part
// and nothing else. The memory itself is taken once, for the largest step.
//
// With rounded limits arrays have room for a few more keys than a step has, so that steps of about
// as many keys have the same addresses, and what is enqueued for one is what another needs: see
// step_graphs.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "worker/device/device.h"
#include "worker/device/kernels/bag.h"

namespace longtail::device {

/// The largest step.
struct StepLimits {
  std::uint32_t examples = 0;
  std::uint32_t fields = 0;
  std::uint32_t numbers = 0;  ///< Of an example; may be 0.
  std::uint32_t keys = 0;     ///< With repetitions.
  std::uint32_t row_dim = 0;  ///< Floats of a row.
  bool has_cache = false;     ///< Some rows come from a cache on the device.
  bool is_rounded = false;    ///< Bounds are rounded up: see StepRoom::bounds.
};

struct StepShape {
  std::uint32_t examples = 0;
  std::uint32_t keys = 0;
  std::uint32_t unique = 0;
  bool has_offsets = false;  ///< Else each field of each example has one key.
  bool has_values = false;   ///< Else each key's value is 1.

  bool operator==(const StepShape&) const = default;
};

/// What of a step's arguments differs from another's of the same shape: kernels read it where it
/// lies.
struct StepScalars {
  std::uint64_t dropout_stream = 0;  ///< Of seed and step.
  float learning_rate = 0;           ///< Of dense parameters; Adam's `rate`, which is corrected.
  float root_correction = 0;         ///< Adam's.
};

/// Losses are summed by so many examples; the host adds the sums.
inline constexpr std::uint32_t kLossPartSize = 256;

/// The arrays of a step, on one side.
struct StepArrays {
  std::uint64_t* keys = nullptr;          ///< [unique], or null without a cache.
  float* labels = nullptr;                ///< [examples]
  float* numbers = nullptr;               ///< [examples, numbers]
  std::uint32_t* offsets = nullptr;       ///< [examples * fields + 1], or null.
  float* values = nullptr;                ///< [keys], or null.
  std::uint32_t* inverse = nullptr;       ///< [keys] the row of each key.
  std::uint32_t* positions = nullptr;     ///< [keys] by row, see key_segments.h.
  std::uint32_t* begins = nullptr;        ///< [unique + 1]
  std::uint32_t* unique_count = nullptr;  ///< [1]
  StepScalars* scalars = nullptr;         ///< [1]
  std::uint32_t* ranks = nullptr;         ///< [unique] which sent row a key has, with a cache.
  float* rows = nullptr;                  ///< [unique, row_dim]; on the host those that are sent.
  float* row_gradients = nullptr;         ///< [unique, row_dim]
  float* logits = nullptr;                ///< [examples]
  double* losses = nullptr;               ///< [loss_parts] sums.
};

/// Thread: one owner.
class StepRoom {
 public:
  /// Errors: InvalidArgument, with the limit; as Device::Allocate and MakeEvent.
  static absl::StatusOr<std::unique_ptr<StepRoom>> Make(Device& device, const std::string& name,
                                                        const StepLimits& limits);

  /// Lays out a step. The room must not be in flight.
  ///
  /// Errors: ResourceExhausted, with the limit that the step is beyond.
  absl::Status Begin(const StepShape& shape);

  const StepShape& shape() const { return shape_; }

  /// What arrays have room for, and what commands must go by that are to serve other steps, too:
  /// the shape, or with rounded limits at most an eighth more keys and different keys.
  const StepShape& bounds() const { return bounds_; }
  std::uint32_t loss_parts() const { return PartsOf(shape_.examples); }

  /// In pinned memory: inputs for the host to write, results for it to read.
  const StepArrays& host() const { return host_; }

  /// For commands of the device alone.
  const StepArrays& device() const { return device_; }
  Bags bags() const {
    return {.offsets = device_.offsets,
            .values = device_.values,
            .examples = shape_.examples,
            .fields = limits_.fields};
  }
  std::uint32_t* bags_of() const { return bags_of_; }          ///< [keys]
  float* sent_rows() const { return sent_rows_; }              ///< Where host().rows arrive.
  double* example_losses() const { return example_losses_; }   ///< [examples]
  float* logit_gradients() const { return logit_gradients_; }  ///< [examples]

 private:
  friend class StepPipeline;

  explicit StepRoom(const StepLimits& limits) : limits_(limits) {}
  static std::uint32_t PartsOf(std::uint32_t examples) {
    return (examples + kLossPartSize - 1) / kLossPartSize;
  }
  void LayOut(const StepShape& shape, const StepShape& bounds);

  const StepLimits limits_;
  StepShape shape_;
  StepShape bounds_;
  StepArrays host_;
  StepArrays device_;
  std::uint32_t* bags_of_ = nullptr;
  float* sent_rows_ = nullptr;
  double* example_losses_ = nullptr;
  float* logit_gradients_ = nullptr;
  // Bytes of the parts: of what is sent, inputs from 0, then scalars, ranks and rows.
  std::size_t input_bytes_ = 0;
  std::size_t rows_begin_ = 0;
  std::size_t row_places_ = 0;  // Where rows begin.
  std::size_t sent_bytes_ = 0;
  std::size_t work_bytes_ = 0;
  std::size_t result_bytes_ = 0;
  Memory host_sent_, host_results_, device_sent_, device_work_, device_results_;
  std::unique_ptr<Event> sent_;      // Inputs and rows are on the device.
  std::unique_ptr<Event> computed_;  // Results are there.
  std::unique_ptr<Event> returned_;  // Results are here.
};

}  // namespace longtail::device
