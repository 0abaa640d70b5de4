// What planning says a row takes, against tables that have them.
#include "server/row_bytes.h"

#include <catch2/catch.hpp>
#include <cstdint>
#include <numeric>
#include <vector>

#include "sparse/table.h"

namespace longtail::server {
namespace {

struct Case {
  const char* what;
  TableSpec spec;
  std::uint64_t header, weights, state;
};

TEST_CASE("a row's bytes are those that a table counts", "[server][row_bytes]") {
  const std::vector<Case> cases = {
      {"adagrad", {.name = "t", .dim = 16}, 14, 64, 64},
      {"sgd", {.name = "t", .dim = 3, .optimizer = {.rule = SgdSpec{}}}, 14, 12, 0},
      {"adam, bf16",
       {.name = "t",
        .dim = 8,
        .optimizer = {.rule = AdamSpec{}},
        .format = {.weights = WeightFormat::kBfloat16, .state = StateFormat::kBfloat16}},
       14,
       16,
       2 * 2 * 8 + 4},
      {"rowwise, int8",
       {.name = "t",
        .dim = 32,
        .optimizer = {.rule = RowwiseAdagradSpec{}},
        .format = {.weights = WeightFormat::kInt8, .state = StateFormat::kFloat32}},
       14,
       33,
       4},
      {"ftrl", {.name = "t", .dim = 1, .optimizer = {.rule = FtrlSpec{}}}, 14, 4, 8},
  };
  constexpr std::uint64_t kRows = 3000;
  for (const Case& c : cases) {
    CAPTURE(c.what);
    const RowBytes bytes = BytesOfRow(c.spec);
    CHECK(bytes.header == c.header);
    CHECK(bytes.weights == c.weights);
    CHECK(bytes.state == c.state);
    CHECK(bytes.index > 4.7);
    CHECK(bytes.index_max < 5.94);

    sparse::Table table(c.spec);
    std::vector<Key> keys(kRows);
    std::iota(keys.begin(), keys.end(), Key{1});
    const std::vector<std::uint32_t> counts(kRows, 1);
    const std::vector<float> gradients(kRows * c.spec.dim, 0.5F);
    table.Push(keys, counts, gradients, /*step=*/1, /*learning_rate_scale=*/1);
    const TableStatistics counted = table.Statistics();
    REQUIRE(counted.rows == kRows);
    CHECK(counted.header_bytes == kRows * bytes.header);
    CHECK(counted.weight_bytes == kRows * bytes.weights);
    CHECK(counted.state_bytes == kRows * bytes.state);
    // The index as it has grown: the same lines.
    CHECK(static_cast<double>(counted.index_bytes) == BytesOfTable(c.spec, kRows, 0, 1).index);
  }
}

TEST_CASE("a tail's row has the tail's bytes, and a table without one has its own",
          "[server][row_bytes]") {
  TableSpec spec{.name = "t", .dim = 16};
  CHECK(BytesOfRow(spec, true).weights == 64);
  spec.tail = {.below = 5, .rowwise_state = true};
  CHECK(BytesOfRow(spec, true).weights == 17);
  CHECK(BytesOfRow(spec, true).state == 2);
  CHECK(BytesOfRow(spec).weights == 64);
  CHECK(BytesOfRow(spec, true).floats == 32);  // A checkpoint has all of them.
  const TableBytes both = BytesOfTable(spec, 1000, 3000, 4);
  CHECK(both.rows == 1000 * (14 + 128 + 0.125) + 3000 * (14 + 19 + 0.125));
}

}  // namespace
}  // namespace longtail::server
