// What a recommender computes and what it is trained for.
//
// A user's vector is the sum of the user's own row, if the model has such, and of the rows of items
// that the user is known to like, times their number to the power -history_power. An item's vector
// is its row. The score of a pair
// is the dot product of the two vectors, or their cosine; with biases, plus that of the item, and
// for ratings that of the user and the mean rating. In lists, items that training lacks come last:
// their rows are where they began and say nothing.
//
//   matrix factorisation            user_row, no history
//   two towers                      history "items": the towers share the items' table, and a user
//                                   who is new needs no row
//   SVD++ (Koren, KDD 2008)         user_row, history "own", power 0.5, biases, squared loss
#pragma once

#include <cstdint>

namespace longtail::examples::recommender {

enum class History : std::uint8_t {
  kNone,
  kItems,  ///< The rows of the items' own table.
  kOwn,    ///< Rows of a table of their own.
};

enum class HistoryOrder : std::uint8_t {
  kAny,     ///< All items of the user but the one to be predicted; of too many, some by chance.
  kBefore,  ///< Those before the one to be predicted; of too many, the last ones.
};

enum class Similarity : std::uint8_t { kDot, kCosine };
enum class LossKind : std::uint8_t { kSoftmax, kBpr, kSquared };

struct ModelConfig {
  std::uint32_t dim = 64;
  bool user_row = true;
  History history = History::kNone;
  HistoryOrder history_order = HistoryOrder::kAny;
  std::uint32_t history_max = 50;  ///< Items of one example's history.
  float history_power = 0.5F;
  Similarity similarity = Similarity::kDot;
  bool bias = false;
  /// Lists alone: an item's score is lowered by this times the temperature times the logarithm of
  /// its training count. A softmax learns how likely an item is, so what is popular comes first; 1
  /// lists by how much likelier it is for this user than for anybody, which finds more of the tail
  /// and less of the head.
  float popularity_discount = 0;
  float tail_share = 0;  ///< Lists alone: the share of places for rare items, see tail_places.h.

  /// Floats of a row: the bias first, if there is one.
  std::uint32_t row_dim() const { return dim + bias_columns(); }
  std::uint32_t bias_columns() const { return bias ? 1 : 0; }
};

struct LossConfig {
  LossKind kind = LossKind::kSoftmax;
  float temperature = 1;             ///< Scores are divided by it, but for ratings.
  std::uint32_t negatives = 512;     ///< Items drawn for each micro-batch, shared by its examples.
  double negative_power = 0;         ///< See NegativeSampler.
  double popularity_correction = 1;  ///< See NegativeSampler.
  float l2 = 0;  ///< Times each row, is added to its gradient once an example that has it as user,
                 ///< item or history; not for drawn items.

  bool draws_negatives() const { return kind != LossKind::kSquared; }
};

}  // namespace longtail::examples::recommender
