// The math of one micro-batch: from rows to the loss, and back to the rows' gradients.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "examples/common/nn/gemm.h"
#include "examples/common/nn/matrix.h"
#include "examples/recommender/model_config.h"

namespace longtail::examples::recommender {

/// Rows, each once: [unique, model.row_dim()], the bias first if there is one. Whatever the model
/// does not use is empty.
template <typename Float>
struct TowerRows {
  std::span<Float> users;
  std::span<Float> items;
  std::span<Float> history;  ///< Of History::kOwn alone.
};

/// Examples, by the places of their rows. History's are places in `items` or, of History::kOwn, in
/// `history`.
struct TowerInput {
  std::span<const std::uint32_t> users;      ///< [size], or empty without user rows.
  std::span<const std::uint32_t> items;      ///< [size]
  std::span<const float> ratings;            ///< [size]
  std::span<const std::uint32_t> history;    ///< [offsets.back()]
  std::span<const std::size_t> offsets;      ///< [size + 1]
  std::span<const std::uint32_t> negatives;  ///< Perhaps none.
  std::span<const float> logit_offsets;      ///< [negatives]

  std::size_t size() const { return items.size(); }
};

/// Thread: one at a time.
class Towers {
 public:
  /// `gemm` must outlive this. `mean_rating` is that of the training data.
  Towers(const ModelConfig& model, const LossConfig& loss, float mean_rating, const Gemm& gemm);

  /// Returns the sum of the examples' losses (without L2) and adds what they give to `gradients`.
  double Train(const TowerInput& input, const TowerRows<const float>& rows,
               const TowerRows<float>& gradients);

  /// Sets `vector` [dim] to a user's: of `user_row` (empty: none) and the rows [count, row_dim] of
  /// the history, not normalised.
  void UserVector(std::span<const float> user_row, std::span<const float* const> history,
                  std::span<float> vector) const;

 private:
  void Forward(const TowerInput& input, const TowerRows<const float>& rows);
  double Losses(const TowerInput& input, const TowerRows<const float>& rows,
                const TowerRows<float>& gradients);
  void Backward(const TowerInput& input, const TowerRows<const float>& rows,
                const TowerRows<float>& gradients);
  const float* VectorOf(std::span<const float> rows, std::uint32_t place) const {
    return rows.data() + std::size_t{place} * model_.row_dim() + model_.bias_columns();
  }
  float* VectorOf(std::span<float> rows, std::uint32_t place) const {
    return rows.data() + std::size_t{place} * model_.row_dim() + model_.bias_columns();
  }
  float HistoryScale(std::size_t count) const;
  void AddL2(std::span<const float> rows, std::uint32_t place, std::span<float> gradients) const;

  const ModelConfig model_;
  const LossConfig loss_;
  const float mean_rating_;
  const Gemm& gemm_;
  // Vectors, of length 1 if scores are cosines, their lengths before that, and their gradients.
  struct Side {
    std::vector<float> vectors;
    std::vector<float> lengths;
    std::vector<float> gradients;
  };
  Side users_;
  Side items_;
  Side negatives_;
  std::vector<float> scores_;           // [size, negatives], then derivatives by them.
  std::vector<float> positive_scores_;  // [size], the same.
};

/// Divides vectors [count, dim] by their lengths, which are set. A vector of zeros stays one.
void Normalise(std::size_t dim, std::span<float> vectors, std::span<float> lengths);

/// From gradients by vectors of length 1 to those by the vectors before Normalise, in place.
void NormaliseBackward(std::size_t dim, std::span<const float> vectors,
                       std::span<const float> lengths, std::span<float> gradients);

}  // namespace longtail::examples::recommender
