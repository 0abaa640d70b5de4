#include "longtail/statistics.h"

#include <catch2/catch.hpp>

namespace longtail {
namespace {

TEST_CASE("statistics of partitions add up field by field", "[sparse][statistics]") {
  TableStatistics a{.rows = 1,
                    .weight_bytes = 2,
                    .state_bytes = 3,
                    .header_bytes = 4,
                    .index_bytes = 5,
                    .free_bytes = 6,
                    .pulls = 7,
                    .pushes = 8,
                    .rows_created = 9,
                    .non_finite_refused = 10,
                    .rows_by_count = {{1, 5}, {3, 2}, {9, 1}},
                    .hash = ~std::uint64_t{0}};
  const TableStatistics b{.rows = 100,
                          .weight_bytes = 200,
                          .state_bytes = 300,
                          .header_bytes = 400,
                          .index_bytes = 500,
                          .free_bytes = 600,
                          .pulls = 700,
                          .pushes = 800,
                          .rows_created = 900,
                          .non_finite_refused = 1000,
                          .rows_by_count = {{2, 7}, {3, 4}, {12, 6}},
                          .hash = 3};
  CHECK(a.bytes() == 20);

  a += b;

  CHECK(a == TableStatistics{.rows = 101,
                             .weight_bytes = 202,
                             .state_bytes = 303,
                             .header_bytes = 404,
                             .index_bytes = 505,
                             .free_bytes = 606,
                             .pulls = 707,
                             .pushes = 808,
                             .rows_created = 909,
                             .non_finite_refused = 1010,
                             .rows_by_count = {{1, 5}, {2, 7}, {3, 6}, {9, 1}, {12, 6}},
                             .hash = 2});
}

TEST_CASE("adding to nothing and adding nothing change nothing", "[sparse][statistics]") {
  const TableStatistics some{.rows = 4, .rows_by_count = {{1, 3}, {2, 1}}, .hash = 5};
  TableStatistics sum;

  sum += some;
  CHECK(sum == some);
  sum += TableStatistics{};
  CHECK(sum == some);
}

}  // namespace
}  // namespace longtail
