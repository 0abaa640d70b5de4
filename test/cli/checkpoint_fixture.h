// A checkpoint with rows whose every number a plain map knows, for tests that read it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "longtail/checkpoint.h"
#include "server/cluster_fixture.h"
#include "server/scratch_directory.h"

namespace longtail::test {

/// What a row of table "item" must hold.
struct WantedRow {
  std::uint32_t count = 0;
  std::uint32_t last_step = 0;
  std::vector<float> weights = {3, 3};
};

/// Three tables in 4 partitions: "item", of dim 2 and without optimizer state, trained in eight
/// steps with keys that are the rarer the higher their number; "user", of dim 1 with Adagrad's
/// sums, one key; "empty". One key of "item" was pushed and not counted.
class CheckpointFixture {
 public:
  static constexpr std::uint32_t kPartitions = 4;
  static constexpr Key kUncounted = 1'000'003;
  static constexpr Key kUser = 42;
  static constexpr Key kAbsent = 555;
  static constexpr std::uint64_t kSteps = 8;

  /// In a directory of its own, or in the store of that address.
  explicit CheckpointFixture(const std::string& store = {})
      : store_(store.empty() ? directory_.path() : store) {
    const auto cluster = Must(Cluster::Embedded({.lanes = 2,
                                                 .partitions = kPartitions,
                                                 .step_mode = StepMode::kSynchronous,
                                                 .store = store_}));
    const TableId item = Must(cluster->CreateTable(ExactSpec("item", 2)));
    const TableId user = Must(cluster->CreateTable(
        {.name = "user",
         .dim = 1,
         .optimizer = {.rule = AdagradSpec{.learning_rate = 0.5F, .initial_accumulator = 3}},
         .initializer = ConstantSpec{.value = 7}}));
    Must(cluster->CreateTable(SpecOf("empty", 5, AdamSpec{})));
    const auto worker = Must(cluster->Connect());
    Rng rng(11);
    for (std::uint32_t step = 0; step < kSteps; ++step) {
      TrainItems(*worker, item, rng, step);
      if (step == 5) {
        Must(worker->Push(user, std::vector<Key>{kUser}, std::vector<float>{1}));
        PushUncounted(*worker, item, step);
      }
      Must(worker->EndStep());
    }
    Must(cluster->Checkpoint("step-8", {{"dense", "weights"}}));
  }

  std::string store() const { return store_; }
  std::string checkpoint() const { return AddressOf({.store = store_, .name = "step-8"}); }
  const std::map<Key, WantedRow>& items() const { return items_; }

 private:
  void TrainItems(Worker& worker, TableId item, Rng& rng, std::uint32_t step) {
    std::vector<Key> keys;
    std::vector<float> gradients;
    for (int i = 0; i < 250; ++i) {
      const std::uint64_t number = rng.Below(1 + rng.Below(1 + rng.Below(200)));
      const Key key = number == 0 ? 0 : (number == 1 ? ~Key{0} : RandomBits(77, number, 0));
      keys.push_back(key);
      WantedRow& row = items_[key];
      ++row.count;
      row.last_step = step;
      for (float& weight : row.weights) {
        gradients.push_back(static_cast<float>(1 + rng.Below(4)));
        weight -= gradients.back();
      }
    }
    Must(worker.Push(item, keys, gradients));
  }

  void PushUncounted(Worker& worker, TableId item, std::uint32_t step) {
    KeyBatch batch;
    Must(worker.Prepare(item, std::vector<Key>{kUncounted}, batch));
    const std::vector<float> gradients = {1, -2};
    const PushItem push{.keys = &batch, .counts_occurrences = false, .gradients = gradients};
    Must(worker.Push(std::span(&push, 1)));
    items_[kUncounted] = {.count = 0, .last_step = step, .weights = {2, 5}};
  }

  const ScratchDirectory directory_;
  const std::string store_;
  std::map<Key, WantedRow> items_;
};

}  // namespace longtail::test
