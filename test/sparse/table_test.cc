#include "sparse/table.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdint>
#include <limits>
#include <vector>

#include "sparse/specs.h"
#include "support/gen.h"

namespace longtail::sparse {
namespace {

// SGD at rate 1 from 0: with small whole gradients a row is an exact sum.
TableSpec ExactSpec() {
  return {.name = "exact", .dim = 2, .optimizer = {.rule = SgdSpec{.learning_rate = 1}}};
}

std::vector<float> PullOne(Table& table, Key key) {
  std::vector<float> row(table.dim());
  table.Pull({&key, 1}, {.rows = row.data(), .stride = table.dim()});
  return row;
}

TEST_CASE("the lowest and the highest key are keys like others", "[sparse][table]") {
  Table table(ExactSpec());
  const std::vector<Key> keys{0, ~Key{0}, 1};

  table.Push(keys, std::vector<std::uint32_t>{2, 3, 4}, std::vector<float>{1, 2, 3, 4, 5, 6}, 9, 1);

  CHECK(table.row_count() == 3);
  CHECK(PullOne(table, 0) == std::vector<float>{-1, -2});
  CHECK(PullOne(table, ~Key{0}) == std::vector<float>{-3, -4});
  CHECK(table.Erase(0));
  CHECK_FALSE(table.Erase(0));
  CHECK(PullOne(table, 0) == std::vector<float>{0, 0});
  CHECK(PullOne(table, ~Key{0}) == std::vector<float>{-3, -4});
}

TEST_CASE("a pull never creates a row", "[sparse][table]") {
  Table table(test::SpecOf(AdagradSpec{}, UniformSpec{}, 6));
  const std::uint64_t hash = table.ContentHash();

  const std::vector<float> row = PullOne(table, 12);

  CHECK(row[3] != 0);
  CHECK(table.row_count() == 0);
  CHECK(table.ContentHash() == hash);
  CHECK(table.Statistics().pulls == 1);
}

TEST_CASE("a repeated key of one push is applied once for each", "[sparse][table]") {
  Table table(ExactSpec());
  std::vector<Key> keys(50, 7);
  std::vector<float> gradients(100, 1);

  const PushResult result = table.Push(keys, std::vector<std::uint32_t>(50, 2), gradients, 3, 1);

  RowView row;
  REQUIRE(table.Find(7, &row));
  CHECK(result.created == 1);
  CHECK(row.count == 100);
  CHECK(row.last_step == 3);
  CHECK(row.values[0] == -50);
}

TEST_CASE("a gradient that is not finite is refused whole", "[sparse][table]") {
  const float bad =
      GENERATE(std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity(),
               std::numeric_limits<float>::quiet_NaN());
  Table table(ExactSpec());
  table.Push(std::vector<Key>{1}, std::vector<std::uint32_t>{1}, std::vector<float>{3, 4}, 5, 1);
  const std::uint64_t hash = table.ContentHash();

  const PushResult result = table.Push(std::vector<Key>{1, 2}, std::vector<std::uint32_t>{1, 1},
                                       std::vector<float>{1, bad, bad, 1}, 6, 1);

  CHECK(result.created == 0);
  CHECK(result.refused_non_finite == 2);
  CHECK(table.ContentHash() == hash);
  CHECK(table.row_count() == 1);
  CHECK(table.Statistics().non_finite_refused == 2);
}

TEST_CASE("a learning rate scale that is no scale refuses the batch", "[sparse][table]") {
  const float scale = GENERATE(0.0F, -1.0F, std::numeric_limits<float>::infinity(),
                               std::numeric_limits<float>::quiet_NaN());
  CAPTURE(scale);
  Table table(ExactSpec());

  const PushResult result = table.Push(std::vector<Key>{1, 2}, std::vector<std::uint32_t>{1, 1},
                                       std::vector<float>{1, 2, 3, 4}, 6, scale);

  CHECK(result.refused_non_finite == 2);
  CHECK(table.row_count() == 0);
}

TEST_CASE("two hundred thousand rows keep their values while the table grows", "[sparse][table]") {
  constexpr std::size_t kRows = 200'000;
  constexpr std::size_t kBatch = 999;
  Table table(ExactSpec());
  std::vector<Key> keys(kRows);
  std::vector<float> gradients;
  for (std::size_t i = 0; i < kRows; ++i) {
    keys[i] = i * 64;  // Regular, like ids counted in steps.
    gradients.push_back(static_cast<float>(i % 1000) + 1);
    gradients.push_back(static_cast<float>(i / 1000) + 2);
  }
  const std::vector<std::uint32_t> counts(kRows, 1);

  std::uint64_t created = 0;
  for (std::size_t at = 0; at < kRows; at += kBatch) {
    const std::size_t n = std::min(kBatch, kRows - at);
    created += table
                   .Push(std::span(keys).subspan(at, n), std::span(counts).subspan(at, n),
                         std::span(gradients).subspan(2 * at, 2 * n), 1, 1)
                   .created;
  }

  CHECK(created == kRows);
  std::vector<float> rows(2 * kRows);
  table.Pull(keys, {.rows = rows.data(), .stride = 2});
  std::transform(rows.begin(), rows.end(), rows.begin(), [](float x) { return -x; });
  CHECK(rows == gradients);
}

// Rows of one table in another order, with detours, and over four partitions.
TEST_CASE("a content hash depends on rows alone, not on order or partitions", "[sparse][table]") {
  const TableSpec spec = test::SpecOf(AdamSpec{}, NormalSpec{}, 5);
  Rng rng(17);
  Table first(spec);
  const std::vector<Key> keys = test::Keys(rng, 500, 300);
  first.Push(keys, test::Counts(rng, 500, 9), test::Floats(rng, 2500, -1, 1), 4, 1);
  std::vector<std::pair<RowView, std::vector<float>>> rows;
  first.ForEachRow([&](const RowView& row) {
    rows.push_back({row, {row.values.begin(), row.values.end()}});
  });
  std::reverse(rows.begin(), rows.end());

  Table second(spec);
  const std::vector<float> other(first.value_count(), 3);
  REQUIRE(second.Import({123456, 1, 1, other}).ok());
  std::vector<Table> partitions;
  for (int i = 0; i < 4; ++i) partitions.emplace_back(spec);
  for (const auto& [row, values] : rows) {
    REQUIRE(second.Import({row.key, row.count, row.last_step, values}).ok());
    REQUIRE(partitions[row.key % 4].Import({row.key, row.count, row.last_step, values}).ok());
  }
  CHECK(second.ContentHash() != first.ContentHash());
  second.Erase(123456);
  CHECK(second.ContentHash() == first.ContentHash());

  TableStatistics sum;
  for (const Table& partition : partitions) sum += partition.Statistics();
  CHECK(sum.hash == first.ContentHash());
  CHECK(sum.rows == first.row_count());
  CHECK(sum.rows_by_count == first.Statistics().rows_by_count);
}

TEST_CASE("every part of a row is in the content hash", "[sparse][table]") {
  const TableSpec spec = test::SpecOf(AdagradSpec{}, UniformSpec{}, 3);
  const std::vector<float> values{1, 2, 3, 4, 5, 6};
  const auto hash = [&](const RowView& row) {
    Table table(spec);
    REQUIRE(table.Import(row).ok());
    return table.ContentHash();
  };
  const std::uint64_t want = hash({7, 8, 9, values});

  CHECK(hash({6, 8, 9, values}) != want);
  CHECK(hash({7, 7, 9, values}) != want);
  CHECK(hash({7, 8, 8, values}) != want);
  for (std::size_t i = 0; i < values.size(); ++i) {
    std::vector<float> changed = values;
    changed[i] += 1;
    CHECK(hash({7, 8, 9, changed}) != want);
  }
}

TEST_CASE("a row of another size is not imported", "[sparse][table]") {
  Table table(test::SpecOf(AdagradSpec{}, UniformSpec{}, 3));
  const std::vector<float> values(5, 1);

  const absl::Status status = table.Import({7, 8, 9, values});

  CHECK(absl::IsInvalidArgument(status));
  CHECK(status.message() ==
        "table 'user_id': key 7: row of 5 values: want 6 (3 weights, 3 of optimizer state)");
  CHECK(table.row_count() == 0);
}

TEST_CASE("a table that is full refuses new keys, counts them and goes on with the others",
          "[sparse][table]") {
  Table table(ExactSpec(), /*rows_max=*/2);
  const std::vector<std::uint32_t> counts{1, 1, 1, 1};

  const PushResult result = table.Push(std::vector<Key>{1, 2, 3, 2}, counts,
                                       std::vector<float>{1, 2, 3, 4, 5, 6, 7, 8}, 1, 1);
  const absl::Status status = table.Import({4, 1, 1, std::vector<float>{1, 2}});

  CHECK(result.created == 2);
  CHECK(result.refused_full == 1);
  CHECK(table.Statistics().full_refused == 1);
  CHECK(PullOne(table, 2) == std::vector<float>{-10, -12});
  CHECK(PullOne(table, 3) == std::vector<float>{0, 0});
  CHECK(absl::IsResourceExhausted(status));
  CHECK(status.message() ==
        "table 'exact': key 4: this partition holds 2 rows, which is its limit: want more "
        "partitions");
  table.Erase(1);
  CHECK(table.Import({4, 1, 1, std::vector<float>{1, 2}}).ok());
}

TEST_CASE("a growth of the index ends by pulls alone", "[sparse][table]") {
  Table table(ExactSpec());
  Key key = 0;
  while (key < 10'000 || !table.is_growing()) {
    REQUIRE(table.Import({key++, 1, 1, std::vector<float>{1, 2}}).ok());
  }
  const std::uint64_t bytes = table.Statistics().index_bytes;
  std::vector<Key> keys(1000);
  std::vector<float> rows(2000);

  Key at = 0;
  for (int pulls = 0; table.is_growing(); ++pulls) {
    REQUIRE(pulls < 1000);
    for (Key& wanted : keys) wanted = at++ % key;
    table.Pull(keys, {.rows = rows.data(), .stride = 2});
    REQUIRE(rows.front() == 1);
    REQUIRE(rows.back() == 2);
  }

  CHECK(table.Statistics().index_bytes < bytes);
}

TEST_CASE("ranges of row numbers cut a table into chunks", "[sparse][table]") {
  Table table(ExactSpec());
  for (Key key = 0; key < 100; ++key) {
    REQUIRE(table.Import({key, 1, 1, std::vector<float>{1, 2}}).ok());
  }
  for (Key key = 0; key < 100; key += 3) table.Erase(key);
  std::vector<Key> all;
  table.ForEachRow([&](const RowView& row) { all.push_back(row.key); });
  std::vector<Key> chunks;

  for (std::uint32_t first = 0; first < table.place_end(); first += 7) {
    table.ForEachRow(first, first + 7, [&](const RowView& row) { chunks.push_back(row.key); });
  }

  CHECK(chunks == all);
  CHECK(all.size() == 66);
}

TEST_CASE("statistics count rows, bytes and how often each row was trained", "[sparse][table]") {
  Table table(test::SpecOf(AdamSpec{}, UniformSpec{}, 4));
  Rng rng(2);
  table.Push(std::vector<Key>{5, 6, 7}, std::vector<std::uint32_t>{2, 9, 2},
             test::Floats(rng, 12, -1, 1), 4, 1);
  table.Push(std::vector<Key>{6}, std::vector<std::uint32_t>{0xFFFFFFFF},
             test::Floats(rng, 4, -1, 1), 5, 1);

  const TableStatistics statistics = table.Statistics();

  CHECK(statistics.rows == 3);
  CHECK(statistics.weight_bytes == 3 * 4 * 4);
  CHECK(statistics.state_bytes == 3 * 9 * 4);
  CHECK(statistics.header_bytes == 3 * 14);
  CHECK(statistics.index_bytes == 64);
  CHECK(statistics.free_bytes < 2 * 4096);  // What is touched of a slab, not what is reserved.
  CHECK(statistics.pushes == 4);
  CHECK(statistics.rows_created == 3);
  CHECK(statistics.rows_by_count ==
        std::vector<std::pair<std::uint32_t, std::uint64_t>>{{2, 2}, {0xFFFFFFFF, 1}});
  CHECK(statistics.hash == table.ContentHash());
}

}  // namespace
}  // namespace longtail::sparse
