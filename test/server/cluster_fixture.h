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

/// Nothing of Catch is touched unless they fail: its macros may not run in two threads at a time,
/// and tests call these from all of theirs.
template <typename T>
T Must(absl::StatusOr<T> result) {
  if (!result.ok()) FAIL(result.status().ToString());
  return *std::move(result);
}

inline void Must(const absl::Status& status) {
  if (!status.ok()) FAIL(status.ToString());
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

/// With all that a table can do to its rows: narrow formats, a tail, options by frequency, sweeps
/// that find something within a few steps.
inline TableSpec TailSpecOf(const char* name, std::uint32_t dim) {
  TableSpec spec = SpecOf(name, dim, AdagradSpec{.learning_rate = 0.3F});
  spec.optimizer.frequency = {.rate_power = 0.5F, .rate_from = 2, .idle_decay = 0.01F};
  spec.format = {.weights = WeightFormat::kBfloat16, .state = StateFormat::kBfloat16};
  spec.tail = {.below = 4, .rowwise_state = true};
  spec.eviction = {.idle_steps = 4, .min_norm = 0.05F, .sweep_steps = 3};
  return spec;
}

/// Keys are admitted when they were seen three times; up to 64 partitions.
inline TableSpec SharedSpecOf(const char* name, std::uint32_t dim) {
  TableSpec spec = SpecOf(name, dim, AdagradSpec{.learning_rate = 0.3F});
  spec.tail = {
      .below = 3, .format = {.weights = WeightFormat::kShared}, .field_bits = 2, .bucket_bits = 6};
  return spec;
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
