// Keys made ready to travel, against a slow map that does the same.
#include "worker/key_batch_planner.h"

#include <catch2/catch.hpp>
#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include "protocol/cluster_map.h"
#include "support/gen.h"

namespace longtail {
namespace {

constexpr TableId kTable{3};
constexpr std::uint32_t kDim = 5;

KeyBatch Filled(const std::vector<Key>& keys, std::uint32_t partition_count) {
  KeyBatch batch;
  KeyBatchPlanner::Fill(kTable, kDim, partition_count, keys, batch);
  return batch;
}

// What a batch must hold: by partition, keys in order of first occurrence, with their counts.
struct Reference {
  std::vector<Key> keys;
  std::vector<std::uint32_t> counts;
  std::map<Key, std::uint32_t> place;
};

Reference Slow(const std::vector<Key>& keys, std::uint32_t partition_count) {
  std::map<Key, std::uint32_t> count;
  std::map<PartitionId, std::vector<Key>> by_partition;
  for (const Key key : keys) {
    if (++count[key] == 1) by_partition[PartitionOf(key, partition_count)].push_back(key);
  }
  Reference want;
  for (const auto& [partition, members] : by_partition) {
    for (const Key key : members) {
      want.place[key] = static_cast<std::uint32_t>(want.keys.size());
      want.keys.push_back(key);
      want.counts.push_back(count[key]);
    }
  }
  return want;
}

void CheckAgainst(const Reference& want, const std::vector<Key>& keys, const KeyBatch& batch) {
  CHECK(batch.table() == kTable);
  CHECK(std::vector<Key>(batch.keys().begin(), batch.keys().end()) == want.keys);
  CHECK(std::vector<std::uint32_t>(batch.counts().begin(), batch.counts().end()) == want.counts);
  REQUIRE(batch.inverse().size() == keys.size());
  std::vector<std::uint32_t> inverse;
  for (const Key key : keys) inverse.push_back(want.place.at(key));
  CHECK(std::vector<std::uint32_t>(batch.inverse().begin(), batch.inverse().end()) == inverse);
}

TEST_CASE("some keys of a batch stay in its order", "[worker][property]") {
  const std::uint64_t seed = GENERATE(range<std::uint64_t>(1, 21));
  const std::uint32_t partition_count = GENERATE(1U, 2U, 64U);
  CAPTURE(seed, partition_count);
  Rng rng(seed);
  const KeyBatch all = Filled(test::Keys(rng, 300, 200), partition_count);
  KeyBatch some;
  for (int round = 0; round < 3; ++round) {
    const std::uint64_t share = rng.Below(11);
    std::vector<std::uint32_t> places;
    std::vector<Key> keys;
    for (std::uint32_t i = 0; i < all.unique_size(); ++i) {
      if (rng.Below(10) >= share) continue;
      places.push_back(i);
      keys.push_back(all.keys()[i]);
    }

    KeyBatchPlanner::Select(all, places, some);

    CHECK(some.table() == kTable);
    CHECK(std::vector<Key>(some.keys().begin(), some.keys().end()) == keys);
  }
}

TEST_CASE("a batch has each key once, by partition, then by first occurrence",
          "[worker][property]") {
  const std::uint64_t seed = GENERATE(range<std::uint64_t>(0, 334));
  const std::uint32_t partition_count = GENERATE(1U, 8U, 64U);
  CAPTURE(seed, partition_count);
  Rng rng(seed);
  const std::vector<Key> keys = test::Keys(rng, rng.Below(400), 1 + rng.Below(300));

  const KeyBatch batch = Filled(keys, partition_count);

  CheckAgainst(Slow(keys, partition_count), keys, batch);
}

TEST_CASE("a batch of no keys is empty", "[worker]") {
  const KeyBatch batch = Filled({}, 8);

  CHECK(batch.table() == kTable);
  CHECK(batch.unique_size() == 0);
  CHECK(batch.counts().empty());
  CHECK(batch.inverse().empty());
}

TEST_CASE("a batch that was never filled is empty", "[worker]") {
  const KeyBatch batch;

  CHECK(batch.table() == TableId{});
  CHECK(batch.unique_size() == 0);
  CHECK(batch.counts().empty());
  CHECK(batch.inverse().empty());
}

TEST_CASE("the lowest and the highest key are keys like any other", "[worker]") {
  const std::vector<Key> keys = {~Key{0}, 0, ~Key{0}, 0, ~Key{0}};

  const KeyBatch batch = Filled(keys, 64);

  CheckAgainst(Slow(keys, 64), keys, batch);
  CHECK(batch.unique_size() == 2);
}

TEST_CASE("one key given many times is counted", "[worker]") {
  const KeyBatch batch = Filled(std::vector<Key>(70'000, 9), 8);

  REQUIRE(batch.unique_size() == 1);
  CHECK(batch.counts()[0] == 70'000);
}

TEST_CASE("keys that want the same slot are kept apart", "[worker]") {
  // A table of 64 slots: of 10,000 keys, many share the low six bits of their hash.
  std::vector<Key> keys;
  for (Key key = 0; keys.size() < 30; ++key) {
    if ((Mix64(key) & 63) == 63) keys.push_back(key);
  }

  CheckAgainst(Slow(keys, 8), keys, Filled(keys, 8));
}

TEST_CASE("a batch that nobody else holds is filled in place", "[worker]") {
  Rng rng(5);
  const std::vector<Key> first = test::Keys(rng, 300, 200);
  const std::vector<Key> second = test::Keys(rng, 250, 100);
  KeyBatch batch = Filled(first, 8);
  const Key* const memory = batch.keys().data();

  KeyBatchPlanner::Fill(kTable, kDim, 8, second, batch);

  CHECK(batch.keys().data() == memory);
  CheckAgainst(Slow(second, 8), second, batch);
}

TEST_CASE("a plan that a call still holds is left as it is", "[worker]") {
  Rng rng(6);
  const std::vector<Key> first = test::Keys(rng, 300, 200);
  const std::vector<Key> second = test::Keys(rng, 250, 100);
  KeyBatch batch = Filled(first, 8);
  const KeyBatch held = batch;

  KeyBatchPlanner::Fill(kTable, kDim, 8, second, batch);

  CheckAgainst(Slow(first, 8), first, held);
  CheckAgainst(Slow(second, 8), second, batch);
}

TEST_CASE("a batch can be filled for another number of partitions", "[worker]") {
  Rng rng(7);
  const std::vector<Key> keys = test::Keys(rng, 300, 200);
  KeyBatch batch = Filled(keys, 64);

  KeyBatchPlanner::Fill(kTable, kDim, 1, keys, batch);

  CheckAgainst(Slow(keys, 1), keys, batch);
}

}  // namespace
}  // namespace longtail
