#include "examples/recommender/micro_batch.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <span>
#include <utility>

#include "base/random.h"

namespace longtail::examples::recommender {
namespace {

constexpr std::uint64_t kNoEpoch = std::numeric_limits<std::uint64_t>::max();

// What the streams of one seed are for.
constexpr std::uint64_t kOrderStream = 0x6f72646572;
constexpr std::uint64_t kHistoryStream = 0x68697374;
constexpr std::uint64_t kNegativeStream = 0x6e656761;

// In [0, 1), with all 53 bits: a table of millions of items has shares below 2^-24.
double UnitDouble(std::uint64_t bits) {
  return static_cast<double>(bits >> 11) * 0x1p-53;
}

}  // namespace

MicroBatchMaker::MicroBatchMaker(const Dataset& data, const NegativeSampler& sampler,
                                 const ModelConfig& model, const LossConfig& loss,
                                 std::uint64_t seed)
    : data_(data),
      sampler_(sampler),
      model_(model),
      loss_(loss),
      seed_(seed),
      places_(data.train.size()),
      order_(data.train.size()),
      epoch_(kNoEpoch) {
  std::vector<std::uint32_t> next(data.user_count());
  for (std::size_t i = 0; i < places_.size(); ++i) places_[i] = next[data.train[i].user]++;
}

void MicroBatchMaker::Shuffle(std::uint64_t epoch) {
  if (epoch == epoch_) return;
  epoch_ = epoch;
  std::iota(order_.begin(), order_.end(), 0U);
  Rng rng(RandomBits(seed_, kOrderStream, epoch));
  for (std::size_t i = order_.size(); i > 1; --i) {
    std::swap(order_[i - 1], order_[static_cast<std::size_t>(rng.Below(i))]);
  }
}

void MicroBatchMaker::AddHistory(const Interaction& example, std::uint32_t place,
                                 std::uint64_t stream, MicroBatch& batch) {
  const std::span<const std::uint32_t> known = data_.train_items.Of(example.user);
  const std::size_t limit = model_.history_max;
  if (model_.history_order == HistoryOrder::kBefore) {
    const std::size_t begin = place > limit ? place - limit : 0;
    batch.history.insert(batch.history.end(), known.begin() + static_cast<std::ptrdiff_t>(begin),
                         known.begin() + place);
    return;
  }
  // Without repeats of the item itself: what is to be found is not known.
  chosen_.clear();
  std::copy_if(known.begin(), known.end(), std::back_inserter(chosen_),
               [&](std::uint32_t item) { return item != example.item; });
  if (chosen_.size() > limit) {
    Rng rng(stream);
    for (std::size_t i = 0; i < limit; ++i) {
      std::swap(chosen_[i], chosen_[i + static_cast<std::size_t>(rng.Below(chosen_.size() - i))]);
    }
    chosen_.resize(limit);
  }
  batch.history.insert(batch.history.end(), chosen_.begin(), chosen_.end());
}

void MicroBatchMaker::Make(std::uint64_t step, std::size_t batch_size, std::uint32_t workers,
                           std::uint32_t rank, MicroBatch& batch) {
  const std::uint64_t steps = StepsOfEpoch(data_, batch_size);
  Shuffle(step / steps);
  const std::size_t step_begin = static_cast<std::size_t>(step % steps) * batch_size;
  const std::size_t step_size = std::min(batch_size, data_.train.size() - step_begin);
  const std::size_t begin = step_begin + step_size * rank / workers;
  const std::size_t end = step_begin + step_size * (rank + std::size_t{1}) / workers;
  const std::uint64_t number = step * workers + rank;

  batch.users.clear();
  batch.items.clear();
  batch.ratings.clear();
  batch.history.clear();
  batch.offsets.assign(1, 0);
  batch.negatives.clear();
  batch.logit_offsets.clear();
  if (begin == end) return;
  const std::uint64_t histories = RandomBits(seed_, kHistoryStream, number);
  for (std::size_t i = begin; i < end; ++i) {
    const Interaction& example = data_.train[order_[i]];
    batch.users.push_back(example.user);
    batch.items.push_back(example.item);
    batch.ratings.push_back(example.rating);
    if (model_.history != History::kNone) {
      AddHistory(example, places_[order_[i]], RandomAt(histories, i - begin), batch);
    }
    batch.offsets.push_back(batch.history.size());
  }
  if (!loss_.draws_negatives()) return;
  Rng rng(RandomBits(seed_, kNegativeStream, number));
  for (std::uint32_t i = 0; i < loss_.negatives; ++i) {
    const std::uint32_t item = sampler_.Draw(UnitDouble(rng.Next()));
    batch.negatives.push_back(item);
    batch.logit_offsets.push_back(sampler_.LogitOffset(item, loss_.negatives));
  }
}

}  // namespace longtail::examples::recommender
