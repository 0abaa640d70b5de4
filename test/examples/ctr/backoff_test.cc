#include "examples/ctr/backoff.h"

#include <catch2/catch.hpp>
#include <set>
#include <vector>

#include "examples/ctr/small_training.h"

namespace longtail::examples {
namespace {

// Two examples of two fields: keys 10 | 20, 21 and, without a key in the first field, 22.
Batch TwoExamples() {
  Batch batch;
  batch.size = 2;
  batch.field_count = 2;
  batch.keys = {10, 20, 21, 22};
  batch.offsets = {0, 1, 3, 3, 4};
  return batch;
}

TEST_CASE("features below the count use their field's back-off row", "[examples][ctr][backoff]") {
  const Batch batch = TwoExamples();
  // Rows in some other order: key 10 has row 5, … and the back-off rows of the fields are 1 and 3.
  const std::vector<std::uint32_t> inverse = {5, 0, 2, 4, 1, 3};
  const std::vector<std::uint32_t> counts = {3, 100, 2, 100, 0, 2};
  std::vector<std::uint32_t> rows;

  UseBackoff(batch, 3, inverse, counts, rows);

  CHECK(rows == std::vector<std::uint32_t>{1, 0, 3, 3});
}

// Rows of one weight: those of TwoExamples' keys 20, 21, 22, 10 are 0, 2, 4, 5, of its fields 1, 3.
const std::vector<std::uint32_t> kInverse = {5, 0, 2, 4, 1, 3};

TEST_CASE("a rare feature's own row is added to its field's", "[examples][ctr][backoff]") {
  const std::vector<std::uint32_t> counts = {2, 100, 0, 100, 3, 1};
  std::vector<float> rows = {3, 10, 7, 20, 9, 4};
  AddedRows added;

  AddBackoff(TwoExamples(), 3, Sighting::kNew, kInverse, counts, rows, 1, added);

  // Key 21 was never seen, key 22 often enough.
  CHECK(rows == std::vector<float>{20 + 3, 10, 20, 20, 9, 10 + 4});
  REQUIRE(added.rows.size() == 3);
  CHECK(added.rows[0].row == 5);  // By first occurrence.
  CHECK(added.rows[1].row == 0);
  CHECK(added.rows[2].row == 2);
}

TEST_CASE("an example that was counted before does not vouch for its own features",
          "[examples][ctr][backoff]") {
  const std::vector<std::uint32_t> counts = {9, 100, 9, 100, 3, 1};
  std::vector<float> rows = {3, 10, 7, 20, 9, 4};
  AddedRows added;

  AddBackoff(TwoExamples(), 3, Sighting::kAgain, kInverse, counts, rows, 1, added);

  // Key 10 was seen by this example alone, key 22 by two others.
  CHECK(rows == std::vector<float>{3, 10, 7, 20, 20 + 9, 10});
}

TEST_CASE("a feature that occurs twice in a batch is added once", "[examples][ctr][backoff]") {
  Batch batch = TwoExamples();
  batch.keys[3] = 20;
  const std::vector<std::uint32_t> inverse = {3, 0, 2, 0, 1, 4};
  const std::vector<std::uint32_t> counts = {2, 100, 9, 9, 100};
  std::vector<float> rows = {3, 10, 7, 8, 20};
  AddedRows added;

  AddBackoff(batch, 3, Sighting::kNew, inverse, counts, rows, 1, added);

  CHECK(rows == std::vector<float>{20 + 3, 10, 7, 8, 20});
  CHECK(added.rows.size() == 1);
}

TEST_CASE("the gradient of a sum is that of both its rows", "[examples][ctr][backoff]") {
  constexpr std::size_t kDim = 2;
  const AddedRows added{.rows = {{.row = 0, .field_row = 2}, {.row = 3, .field_row = 2}},
                        .is_met = {}};
  std::vector<float> gradients = {1, 2, 3, 4, 0, 0, 5, 6};

  ShareGradients(added, gradients, kDim);

  CHECK(gradients == std::vector<float>{1, 2, 3, 4, 6, 8, 5, 6});
}

TEST_CASE("the keys to pull are the batch's and one of each field", "[examples][ctr][backoff]") {
  const Batch batch = TwoExamples();
  std::vector<Key> keys;

  KeysWithBackoff(batch, keys);

  CHECK(keys == std::vector<Key>{10, 20, 21, 22, BackoffKey(0), BackoffKey(1)});
  CHECK(BackoffKey(0) != BackoffKey(1));
}

TEST_CASE("with back-off a feature's row keeps its initial value until it is seen often enough",
          "[examples][ctr][backoff]") {
  TrainConfig config = test::SmallConfig();
  config.table.optimizer.weight_decay = 0;
  config.backoff.below = 1000000;
  test::SmallTraining training = test::Start(config);
  training.Train(config, 0, 0, 4);
  Batch batch;
  SyntheticCriteo(config.data.synthetic->options).Generate(0, 64, batch);
  auto worker = training.cluster->Connect();
  REQUIRE_FALSE(worker.ok());  // The trainer's own worker has the one rank there is.

  const auto statistics = training.cluster->Statistics(training.trainer->table());
  REQUIRE(statistics.ok());
  CHECK(statistics->rows > 100);  // They exist, and are counted.
  CHECK(statistics->rows_by_count.front().first >= 1);
}

TEST_CASE("a second pass over the data adds nothing to the training counts",
          "[examples][ctr][backoff]") {
  const TrainConfig config = test::SmallConfig();
  test::SmallTraining once = test::Start(config);
  once.Train(config, 0, 0, 5);
  const auto after_one = once.cluster->Statistics(once.trainer->table());
  REQUIRE(after_one.ok());
  once.Train(config, 1, 0, 5);
  const auto after_two = once.cluster->Statistics(once.trainer->table());
  REQUIRE(after_two.ok());

  CHECK(after_two->rows_by_count == after_one->rows_by_count);
  CHECK(after_two->hash != after_one->hash);
}

}  // namespace
}  // namespace longtail::examples
