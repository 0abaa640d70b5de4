#include "examples/recommender/towers.h"

#include <algorithm>
#include <cmath>

#include "examples/recommender/losses.h"

namespace longtail::examples::recommender {
namespace {

constexpr float kLengthMin = 1e-12F;  // Below it a vector has no direction.

float Dot(const float* a, const float* b, std::size_t dim) {
  float sum = 0;
  for (std::size_t k = 0; k < dim; ++k) sum += a[k] * b[k];
  return sum;
}

void AddScaled(float scale, const float* from, std::size_t dim, float* to) {
  for (std::size_t k = 0; k < dim; ++k) to[k] += scale * from[k];
}

}  // namespace

void Normalise(std::size_t dim, std::span<float> vectors, std::span<float> lengths) {
  for (std::size_t i = 0; i < lengths.size(); ++i) {
    float* const v = vectors.data() + i * dim;
    lengths[i] = std::sqrt(Dot(v, v, dim));
    const float scale = 1 / std::max(lengths[i], kLengthMin);
    for (std::size_t k = 0; k < dim; ++k) v[k] *= scale;
  }
}

void NormaliseBackward(std::size_t dim, std::span<const float> vectors,
                       std::span<const float> lengths, std::span<float> gradients) {
  for (std::size_t i = 0; i < lengths.size(); ++i) {
    const float* const v = vectors.data() + i * dim;
    float* const g = gradients.data() + i * dim;
    const float along = Dot(g, v, dim);
    const float scale = 1 / std::max(lengths[i], kLengthMin);
    for (std::size_t k = 0; k < dim; ++k) g[k] = (g[k] - along * v[k]) * scale;
  }
}

Towers::Towers(const ModelConfig& model, const LossConfig& loss, float mean_rating,
               const Gemm& gemm)
    : model_(model), loss_(loss), mean_rating_(mean_rating), gemm_(gemm) {}

float Towers::HistoryScale(std::size_t count) const {
  return count == 0 ? 0 : std::pow(static_cast<float>(count), -model_.history_power);
}

void Towers::UserVector(std::span<const float> user_row, std::span<const float* const> history,
                        std::span<float> vector) const {
  std::ranges::fill(vector, 0.0F);
  const float scale = HistoryScale(history.size());
  for (const float* const row : history) {
    AddScaled(1, row + model_.bias_columns(), model_.dim, vector.data());
  }
  for (float& v : vector) v *= scale;
  if (!user_row.empty()) {
    AddScaled(1, user_row.data() + model_.bias_columns(), model_.dim, vector.data());
  }
}

void Towers::Forward(const TowerInput& input, const TowerRows<const float>& rows) {
  const std::size_t dim = model_.dim;
  const std::size_t size = input.size();
  const std::span<const float> history =
      model_.history == History::kOwn ? rows.history : rows.items;
  users_.vectors.assign(size * dim, 0);
  items_.vectors.resize(size * dim);
  negatives_.vectors.resize(input.negatives.size() * dim);
  for (std::size_t e = 0; e < size; ++e) {
    float* const user = users_.vectors.data() + e * dim;
    const std::size_t count = input.offsets[e + 1] - input.offsets[e];
    for (std::size_t h = input.offsets[e]; h < input.offsets[e + 1]; ++h) {
      AddScaled(1, VectorOf(history, input.history[h]), dim, user);
    }
    const float scale = HistoryScale(count);
    for (std::size_t k = 0; k < dim; ++k) user[k] *= scale;
    if (model_.user_row) AddScaled(1, VectorOf(rows.users, input.users[e]), dim, user);
    std::copy_n(VectorOf(rows.items, input.items[e]), dim, items_.vectors.data() + e * dim);
  }
  for (std::size_t n = 0; n < input.negatives.size(); ++n) {
    std::copy_n(VectorOf(rows.items, input.negatives[n]), dim, negatives_.vectors.data() + n * dim);
  }
  if (model_.similarity == Similarity::kDot) return;
  for (Side* const side : {&users_, &items_, &negatives_}) {
    side->lengths.resize(side->vectors.size() / dim);
    Normalise(dim, side->vectors, side->lengths);
  }
}

double Towers::Losses(const TowerInput& input, const TowerRows<const float>& rows,
                      const TowerRows<float>& gradients) {
  const std::size_t dim = model_.dim;
  const std::size_t negatives = input.negatives.size();
  const bool is_rating = loss_.kind == LossKind::kSquared;
  const float inverse = is_rating ? 1 : 1 / loss_.temperature;
  const auto bias_of = [&](std::span<const float> of, std::uint32_t place) {
    return model_.bias ? of[std::size_t{place} * model_.row_dim()] : 0.0F;
  };
  const auto add_bias = [&](std::span<float> of, std::uint32_t place, float gradient) {
    if (model_.bias) of[std::size_t{place} * model_.row_dim()] += gradient;
  };
  double sum = 0;
  for (std::size_t e = 0; e < input.size(); ++e) {
    float& positive = positive_scores_[e];
    positive = Dot(users_.vectors.data() + e * dim, items_.vectors.data() + e * dim, dim) +
               bias_of(rows.items, input.items[e]);
    const std::span<float> others = std::span(scores_).subspan(e * negatives, negatives);
    if (is_rating) {
      positive += mean_rating_;
      if (model_.user_row) positive += bias_of(rows.users, input.users[e]);
      sum += SquaredLoss(positive, input.ratings[e]);
      if (model_.user_row) add_bias(gradients.users, input.users[e], positive);
    } else {
      positive *= inverse;
      for (std::size_t n = 0; n < negatives; ++n) {
        const std::uint32_t place = input.negatives[n];
        others[n] = place == input.items[e] ? kMaskedScore
                                            : (others[n] + bias_of(rows.items, place)) * inverse -
                                                  input.logit_offsets[n];
      }
      sum += loss_.kind == LossKind::kSoftmax ? SoftmaxLoss(positive, others)
                                              : BprLoss(positive, others);
      positive *= inverse;
      for (std::size_t n = 0; n < negatives; ++n) {
        others[n] *= inverse;
        add_bias(gradients.items, input.negatives[n], others[n]);
      }
    }
    add_bias(gradients.items, input.items[e], positive);
  }
  return sum;
}

void Towers::AddL2(std::span<const float> rows, std::uint32_t place,
                   std::span<float> gradients) const {
  const std::size_t begin = std::size_t{place} * model_.row_dim();
  AddScaled(loss_.l2, rows.data() + begin, model_.row_dim(), gradients.data() + begin);
}

void Towers::Backward(const TowerInput& input, const TowerRows<const float>& rows,
                      const TowerRows<float>& gradients) {
  const std::size_t dim = model_.dim;
  const bool has_own = model_.history == History::kOwn;
  const std::span<const float> history = has_own ? rows.history : rows.items;
  const std::span<float> history_gradients = has_own ? gradients.history : gradients.items;
  for (std::size_t n = 0; n < input.negatives.size(); ++n) {
    AddScaled(1, negatives_.gradients.data() + n * dim, dim,
              VectorOf(gradients.items, input.negatives[n]));
  }
  for (std::size_t e = 0; e < input.size(); ++e) {
    const float* const user = users_.gradients.data() + e * dim;
    AddScaled(1, items_.gradients.data() + e * dim, dim, VectorOf(gradients.items, input.items[e]));
    if (model_.user_row) AddScaled(1, user, dim, VectorOf(gradients.users, input.users[e]));
    const float scale = HistoryScale(input.offsets[e + 1] - input.offsets[e]);
    for (std::size_t h = input.offsets[e]; h < input.offsets[e + 1]; ++h) {
      AddScaled(scale, user, dim, VectorOf(history_gradients, input.history[h]));
    }
    if (loss_.l2 == 0) continue;
    AddL2(rows.items, input.items[e], gradients.items);
    if (model_.user_row) AddL2(rows.users, input.users[e], gradients.users);
    for (std::size_t h = input.offsets[e]; h < input.offsets[e + 1]; ++h) {
      AddL2(history, input.history[h], history_gradients);
    }
  }
}

double Towers::Train(const TowerInput& input, const TowerRows<const float>& rows,
                     const TowerRows<float>& gradients) {
  const std::size_t dim = model_.dim;
  const std::size_t size = input.size();
  const std::size_t negatives = input.negatives.size();
  if (size == 0) return 0;
  Forward(input, rows);
  positive_scores_.resize(size);
  scores_.resize(size * negatives);
  const ConstMatrix users(users_.vectors.data(), size, dim, dim);
  const ConstMatrix drawn(negatives_.vectors.data(), negatives, dim, dim);
  const Matrix scores{scores_.data(), size, negatives, negatives};
  if (negatives != 0) {
    gemm_.Multiply({.transpose_b = Transpose::kYes, .a = users, .b = drawn, .c = scores});
  }
  const double loss = Losses(input, rows, gradients);

  users_.gradients.resize(size * dim);
  items_.gradients.resize(size * dim);
  negatives_.gradients.resize(negatives * dim);
  if (negatives != 0) {
    gemm_.Multiply({.a = scores, .b = drawn, .c = {users_.gradients.data(), size, dim, dim}});
    gemm_.Multiply({.transpose_a = Transpose::kYes,
                    .a = scores,
                    .b = users,
                    .c = {negatives_.gradients.data(), negatives, dim, dim}});
  } else {
    std::ranges::fill(users_.gradients, 0.0F);
  }
  for (std::size_t e = 0; e < size; ++e) {
    const float* const user = users_.vectors.data() + e * dim;
    const float* const item = items_.vectors.data() + e * dim;
    AddScaled(positive_scores_[e], item, dim, users_.gradients.data() + e * dim);
    for (std::size_t k = 0; k < dim; ++k) {
      items_.gradients[e * dim + k] = positive_scores_[e] * user[k];
    }
  }
  if (model_.similarity == Similarity::kCosine) {
    for (Side* const side : {&users_, &items_, &negatives_}) {
      NormaliseBackward(dim, side->vectors, side->lengths, side->gradients);
    }
  }
  Backward(input, rows, gradients);
  return loss;
}

}  // namespace longtail::examples::recommender
