// Clusters and workers through the public API, for tests that expect no error on the way.
#pragma once

#include <catch2/catch.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "longtail/cluster.h"
#include "support/gen.h"

namespace longtail::test {

template <typename T>
T Must(absl::StatusOr<T> result) {
  INFO(result.status().ToString());
  REQUIRE(result.ok());
  return *std::move(result);
}

inline void Must(const absl::Status& status) {
  INFO(status.ToString());
  REQUIRE(status.ok());
}

inline bool Says(const absl::Status& status, const std::string& text) {
  INFO(status.ToString());
  return std::string(status.message()).find(text) != std::string::npos;
}

inline TableSpec SpecOf(const char* name, std::uint32_t dim, OptimizerRule rule) {
  return {.name = name,
          .dim = dim,
          .optimizer = {.rule = rule},
          .initializer = NormalSpec{.mean = 0.1F, .stddev = 0.3F},
          .seed = 7};
}

/// Integers stay exact: rows start at 3 and move by whole gradients.
inline TableSpec ExactSpec(const char* name, std::uint32_t dim) {
  return {.name = name,
          .dim = dim,
          .optimizer = {.rule = SgdSpec{.learning_rate = 1}},
          .initializer = ConstantSpec{.value = 3}};
}

inline std::vector<float> Rows(Worker& worker, TableId table, const std::vector<Key>& keys,
                               std::uint32_t dim) {
  std::vector<float> rows(keys.size() * dim);
  Must(worker.Pull(table, keys, rows));
  return rows;
}

}  // namespace longtail::test
