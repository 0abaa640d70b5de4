#include "examples/recommender/micro_batch.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <utility>
#include <vector>

#include "examples/recommender/small_data.h"

namespace longtail::examples::recommender {
namespace {

constexpr std::size_t kBatch = 10;

struct Made {
  Dataset data = test::MakeDataset(test::RandomLists(3, 9, 30, 8), 30, 1);
  LossConfig loss{.negatives = 6, .negative_power = 0.5};
  NegativeSampler sampler{data.item_counts, 0.5, 1};
};

TEST_CASE("an epoch has every interaction once, whoever trains on it",
          "[examples][recommender][micro_batch]") {
  const std::uint32_t workers = GENERATE(1U, 2U, 3U, 16U);
  CAPTURE(workers);
  const Made made;
  MicroBatchMaker maker(made.data, made.sampler, {}, made.loss, 7);
  const std::uint64_t steps = MicroBatchMaker::StepsOfEpoch(made.data, kBatch);
  REQUIRE(steps == 7);  // 63 interactions: the last step is short.
  std::vector<std::pair<std::uint32_t, std::uint32_t>> orders[2];
  for (std::uint64_t epoch = 0; epoch < 2; ++epoch) {
    for (std::uint64_t step = 0; step < steps; ++step) {
      for (std::uint32_t rank = 0; rank < workers; ++rank) {
        MicroBatch batch;
        maker.Make(epoch * steps + step, kBatch, workers, rank, batch);
        for (std::size_t e = 0; e < batch.size(); ++e) {
          orders[epoch].emplace_back(batch.users[e], batch.items[e]);
        }
        CHECK(batch.offsets.size() == batch.size() + 1);
        CHECK(batch.negatives.size() == (batch.size() == 0 ? 0 : 6));
      }
    }
  }
  CHECK(orders[0] != orders[1]);  // Each epoch has an order of its own.
  std::vector<std::pair<std::uint32_t, std::uint32_t>> want;
  for (const Interaction& i : made.data.train) want.emplace_back(i.user, i.item);
  std::ranges::sort(want);
  for (auto& order : orders) {
    std::ranges::sort(order);
    CHECK(order == want);
  }
}

TEST_CASE("a micro-batch is a function of seed, step and rank alone",
          "[examples][recommender][micro_batch]") {
  const Made made;
  const ModelConfig model{.history = History::kItems, .history_max = 3};
  MicroBatchMaker one(made.data, made.sampler, model, made.loss, 7);
  MicroBatchMaker other(made.data, made.sampler, model, made.loss, 7);
  MicroBatchMaker seeded(made.data, made.sampler, model, made.loss, 8);
  MicroBatch a;
  MicroBatch b;
  MicroBatch c;
  one.Make(3, kBatch, 2, 0, a);
  one.Make(9, kBatch, 2, 1, a);
  other.Make(9, kBatch, 2, 1, b);
  seeded.Make(9, kBatch, 2, 1, c);
  CHECK(a.items == b.items);
  CHECK(a.history == b.history);
  CHECK(a.negatives == b.negatives);
  CHECK(a.items != c.items);
  CHECK(a.negatives != c.negatives);
}

TEST_CASE("what is to be found is in no history", "[examples][recommender][micro_batch]") {
  const HistoryOrder order = GENERATE(HistoryOrder::kAny, HistoryOrder::kBefore);
  const std::uint32_t limit = GENERATE(2U, 100U);
  CAPTURE(static_cast<int>(order), limit);
  const Made made;
  const ModelConfig model{.history = History::kItems, .history_order = order, .history_max = limit};
  MicroBatchMaker maker(made.data, made.sampler, model, made.loss, 7);
  std::size_t lengths = 0;
  for (std::uint64_t step = 0; step < 7; ++step) {
    MicroBatch batch;
    maker.Make(step, kBatch, 1, 0, batch);
    for (std::size_t e = 0; e < batch.size(); ++e) {
      const auto known = made.data.train_items.Of(batch.users[e]);
      const auto place =
          static_cast<std::size_t>(std::ranges::find(known, batch.items[e]) - known.begin());
      std::vector<std::uint32_t> history(
          batch.history.begin() + static_cast<std::ptrdiff_t>(batch.offsets[e]),
          batch.history.begin() + static_cast<std::ptrdiff_t>(batch.offsets[e + 1]));
      lengths += history.size();
      CHECK(history.size() <= limit);
      if (order == HistoryOrder::kBefore) {
        const auto before = known.subspan(0, place).last(std::min<std::size_t>(place, limit));
        CHECK(history == std::vector<std::uint32_t>(before.begin(), before.end()));
        continue;
      }
      CHECK(history.size() == std::min<std::size_t>(limit, known.size() - 1));
      std::ranges::sort(history);
      CHECK(std::ranges::adjacent_find(history) == history.end());
      for (const std::uint32_t item : history) {
        CHECK(item != batch.items[e]);
        CHECK(std::ranges::count(known, item) == 1);
      }
    }
  }
  CHECK(lengths > 63);
}

TEST_CASE("ratings have no negatives, and none are drawn", "[examples][recommender][micro_batch]") {
  const Made made;
  MicroBatchMaker maker(made.data, made.sampler, {}, {.kind = LossKind::kSquared}, 7);
  MicroBatch batch;
  maker.Make(0, kBatch, 1, 0, batch);
  CHECK(batch.size() == kBatch);
  CHECK(batch.negatives.empty());
  CHECK(batch.history.empty());
}

}  // namespace
}  // namespace longtail::examples::recommender
