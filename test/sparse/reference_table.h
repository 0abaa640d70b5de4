// A table as simple as can be: a map of rows, one key at a time.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "base/random.h"
#include "sparse/initializer.h"
#include "sparse/reference_optimizer.h"
#include "sparse/table.h"

namespace longtail::test {

class ReferenceTable {
 public:
  struct Row {
    std::uint32_t count = 0;
    std::uint32_t last_step = 0;
    std::vector<float> values;
  };

  explicit ReferenceTable(const TableSpec& spec) : spec_(spec) {}

  const std::map<Key, Row>& rows() const { return rows_; }

  // What a pull gives: the weights, then the count.
  std::pair<std::vector<float>, std::uint32_t> Pull(Key key) const {
    const auto row = rows_.find(key);
    if (row == rows_.end()) return {Initial(key), 0};
    const auto& values = row->second.values;
    return {{values.begin(), values.begin() + static_cast<long>(spec_.dim)}, row->second.count};
  }

  sparse::PushResult Push(Key key, std::uint32_t count, std::span<const float> gradient,
                          std::uint32_t step, float rate_scale) {
    for (const float g : gradient) {
      if (!std::isfinite(g)) return {.created = 0, .refused_non_finite = 1, .refused_full = 0};
    }
    const auto [row, is_new] = rows_.try_emplace(key);
    Row& it = row->second;
    if (is_new) {
      it.values = Initial(key);
      std::vector<float> state(sparse::StateSize(spec_.optimizer, spec_.dim));
      sparse::InitState(spec_.optimizer, it.values, state);
      it.values.insert(it.values.end(), state.begin(), state.end());
    }
    it.last_step = step;
    ReferenceOptimizer::Push(spec_.optimizer, rate_scale, {gradient.begin(), gradient.end()},
                             it.values);
    const auto total = static_cast<std::uint32_t>(
        std::min<std::uint64_t>(std::uint64_t{it.count} + count, 0xFFFFFFFF));
    const std::uint64_t at =
        std::uint64_t{step} << 32 | std::bit_cast<std::uint32_t>(it.values.front());
    it.count = sparse::CountOf(sparse::CountCode(total, RandomBits(spec_.seed, key, at)));
    return {.created = is_new ? 1U : 0U, .refused_non_finite = 0, .refused_full = 0};
  }

  void Import(Key key, Row row) { rows_[key] = std::move(row); }
  bool Erase(Key key) { return rows_.erase(key) != 0; }

 private:
  std::vector<float> Initial(Key key) const {
    std::vector<float> weights(spec_.dim);
    sparse::Initializer(spec_).Fill(key, weights);
    return weights;
  }

  TableSpec spec_;
  std::map<Key, Row> rows_;
};

}  // namespace longtail::test
