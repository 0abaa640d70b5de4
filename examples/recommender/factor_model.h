// A trained recommender, read from a cluster: scores of all items, ratings, and nearest items.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "examples/common/nn/gemm.h"
#include "examples/recommender/factor_tables.h"
#include "examples/recommender/scorer.h"
#include "examples/recommender/top_items.h"
#include "examples/recommender/towers.h"
#include "longtail/worker.h"

namespace longtail::examples::recommender {

/// Holds all items' rows, as they were when it was made, and pulls users' rows when they are asked
/// for.
class FactorModel final : public Scorer {
 public:
  /// `config` and `data` must outlive this.
  ///
  /// Errors: those of the cluster, which must have the tables.
  static absl::StatusOr<std::unique_ptr<FactorModel>> Read(const RecommenderConfig& config,
                                                           const Dataset& data, Cluster& cluster);

  absl::Status Score(std::span<const KnownUser> users, Matrix scores) override;

  /// Sets predictions [pairs] of the ratings of pairs, cut to the range that training has.
  absl::Status Rate(std::span<const Interaction> pairs, std::span<float> predictions);

  /// The `count` items whose vectors have the highest cosine with that of `item`, highest first,
  /// without itself and without those that training lacks.
  std::vector<RankedItem> Similar(std::uint32_t item, std::size_t count) const;

 private:
  FactorModel(const RecommenderConfig& config, const Dataset& data);
  // Pulls rows [keys, row_dim].
  absl::Status PullRows(TableId table, std::span<const Key> keys, std::vector<float>& rows);
  // Sets vectors_ [users, dim] and user_biases_ [users].
  absl::Status MakeVectors(std::span<const KnownUser> users);

  const RecommenderConfig& config_;
  const Dataset& data_;
  const FactorKeys keys_;
  const std::unique_ptr<Gemm> gemm_;
  const Towers towers_;
  FactorTables tables_;
  std::unique_ptr<Worker> reader_;
  std::vector<float> item_rows_;     // [items, row_dim]
  std::vector<float> history_rows_;  // [items, row_dim] of History::kOwn.
  std::vector<float> item_vectors_;  // [items, dim], of length 1 if scores are cosines.
  std::vector<float> offsets_;       // [items] what is added to each one's score in lists.
  std::vector<float> vectors_;
  std::vector<float> user_biases_;
};

}  // namespace longtail::examples::recommender
