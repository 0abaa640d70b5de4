// The examples of one worker's step, and which rows they need.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "examples/recommender/dataset.h"
#include "examples/recommender/model_config.h"
#include "examples/recommender/negative_sampler.h"

namespace longtail::examples::recommender {

/// Users and items are numbers of the data set.
struct MicroBatch {
  std::vector<std::uint32_t> users;      ///< [size]
  std::vector<std::uint32_t> items;      ///< [size] what each is to find.
  std::vector<float> ratings;            ///< [size]
  std::vector<std::uint32_t> history;    ///< Items that are known of them, example by example.
  std::vector<std::size_t> offsets;      ///< [size + 1] where each one's history begins.
  std::vector<std::uint32_t> negatives;  ///< Drawn items, shared by all.
  std::vector<float> logit_offsets;      ///< [negatives] what their logits are lowered by.

  std::size_t size() const { return users.size(); }
};

/// Makes micro-batches: a pure function of seed, step and worker, the same in every process.
///
/// Thread: one at a time.
class MicroBatchMaker {
 public:
  /// `data` and `sampler` must outlive this.
  MicroBatchMaker(const Dataset& data, const NegativeSampler& sampler, const ModelConfig& model,
                  const LossConfig& loss, std::uint64_t seed);

  /// Sets `batch` to what worker `rank` of `workers` trains on in a step of `batch_size` examples
  /// over all workers; empty if a short last step leaves none for it.
  void Make(std::uint64_t step, std::size_t batch_size, std::uint32_t workers, std::uint32_t rank,
            MicroBatch& batch);

  /// Steps of one pass over the training data.
  static std::uint64_t StepsOfEpoch(const Dataset& data, std::size_t batch_size) {
    return (data.train.size() + batch_size - 1) / batch_size;
  }

 private:
  void Shuffle(std::uint64_t epoch);
  void AddHistory(const Interaction& example, std::uint32_t place, std::uint64_t stream,
                  MicroBatch& batch);

  const Dataset& data_;
  const NegativeSampler& sampler_;
  const ModelConfig model_;
  const LossConfig loss_;
  const std::uint64_t seed_;
  std::vector<std::uint32_t> places_;  // [train] the place of each interaction in its user's list.
  std::vector<std::uint32_t> order_;   // [train] of the epoch that was shuffled last,
  std::uint64_t epoch_;                // which is this.
  std::vector<std::uint32_t> chosen_;
};

}  // namespace longtail::examples::recommender
