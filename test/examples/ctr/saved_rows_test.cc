#include "examples/ctr/saved_rows.h"

#include <catch2/catch.hpp>
#include <vector>

namespace longtail::examples {
namespace {

const std::vector<Key> kKeys = {7, 0, ~0ULL};
const std::vector<float> kRows = {1, 2, 3, 4, 5, 6};
const std::vector<std::uint32_t> kCounts = {9, 8, 7};

TEST_CASE("saved rows come back by key, in whatever order they are asked for",
          "[examples][ctr][saved_rows]") {
  const std::string bytes = EncodeRows(kKeys, kRows, kCounts, 2);
  const std::vector<Key> asked = {~0ULL, 7, 0};
  std::vector<float> rows(6);
  std::vector<std::uint32_t> counts(3);

  REQUIRE(DecodeRows(bytes, asked, 2, rows, counts).ok());

  CHECK(rows == std::vector<float>{5, 6, 1, 2, 3, 4});
  CHECK(counts == std::vector<std::uint32_t>{7, 9, 8});
}

TEST_CASE("saved rows of other keys, another width or cut short are refused",
          "[examples][ctr][saved_rows]") {
  const std::string bytes = EncodeRows(kKeys, kRows, kCounts, 2);
  std::vector<float> rows(6);
  std::vector<std::uint32_t> counts(3);
  const std::vector<Key> others = {7, 0, 5};

  CHECK(DecodeRows(bytes, others, 2, rows, counts).code() == absl::StatusCode::kDataLoss);
  CHECK(DecodeRows(bytes, kKeys, 1, rows, counts).code() == absl::StatusCode::kDataLoss);
  CHECK(DecodeRows(bytes.substr(0, bytes.size() - 1), kKeys, 2, rows, counts).code() ==
        absl::StatusCode::kDataLoss);
  CHECK(DecodeRows("", kKeys, 2, rows, counts).code() == absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace longtail::examples
