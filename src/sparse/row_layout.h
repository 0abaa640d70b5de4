// The two ways in which a table keeps its rows, and how a row goes from the one to the other.
//
// A row in the hand is floats: weights [dim], then optimizer state. A full row's state is the
// rule's; a tail row's may be one accumulator instead (TailSpec::rowwise_state).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "longtail/table_spec.h"
#include "sparse/optimizer.h"
#include "sparse/row_codec.h"
#include "sparse/row_header.h"

namespace longtail::sparse {

/// Bytes that a row's place in the index takes, on average and rounded up.
inline constexpr std::size_t kIndexBytesPerRow = 6;

class RowLayout {
 public:
  /// Needs a spec that Validate accepts.
  explicit RowLayout(const TableSpec& spec)
      : dim_(spec.dim),
        state_size_(StateSize(spec.optimizer, spec.dim)),
        tail_below_(spec.tail.below > 1 ? spec.tail.below : 0),
        is_rowwise_(spec.tail.rowwise_state),
        is_shared_(spec.tail.format.weights == WeightFormat::kShared),
        codecs_{RowCodec(spec.format, dim_, state_size_, ExactStateSize(spec.optimizer)),
                RowCodec(spec.tail.format, dim_, is_rowwise_ ? 1 : state_size_,
                         ExactStateSize(spec.optimizer))} {}

  std::uint32_t dim() const { return dim_; }
  std::uint32_t state_size() const { return state_size_; }
  std::size_t value_count() const { return std::size_t{dim_} + state_size_; }

  bool has_tail() const { return tail_below_ != 0; }
  bool is_rowwise() const { return is_rowwise_; }

  /// Whether rows of the tail have no values, and back-off rows stand in.
  bool is_shared() const { return has_tail() && is_shared_; }

  /// Whether a row of this count belongs to the tail.
  bool IsTail(std::uint32_t count) const { return count < tail_below_; }

  /// Whether every row's bytes are its floats.
  bool is_plain() const { return !has_tail() && codecs_[0].is_plain(); }

  const RowCodec& codec(bool is_tail) const { return codecs_[is_tail ? 1 : 0]; }

  /// Header and values.
  std::size_t row_bytes(bool is_tail) const { return kRowHeaderBytes + codec(is_tail).bytes(); }

  /// What a row takes of a budget: the same wherever it lies.
  std::size_t budget_bytes(bool is_tail) const { return row_bytes(is_tail) + kIndexBytesPerRow; }

  /// Makes a tail row's floats those of a full row. Exact: Contract gives them back.
  ///
  /// Shapes: values [value_count()].
  void Expand(float* values) const {
    if (!is_rowwise_) return;
    float* state = values + dim_;
    for (std::size_t i = 1; i < state_size_; ++i) state[i] = state[0];
  }

  /// Makes a full row's floats those of a tail row: its accumulator is the mean of the weights'.
  void Contract(float* values) const {
    if (!is_rowwise_) return;
    float* state = values + dim_;
    double sum = 0;
    for (std::size_t i = 0; i < state_size_; ++i) sum += static_cast<double>(state[i]);
    state[0] = static_cast<float>(sum / static_cast<double>(state_size_));
  }

 private:
  std::uint32_t dim_;
  std::uint32_t state_size_;
  std::uint32_t tail_below_;
  bool is_rowwise_;
  bool is_shared_;
  std::array<RowCodec, 2> codecs_;
};

}  // namespace longtail::sparse
