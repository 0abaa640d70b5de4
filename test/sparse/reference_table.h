// A table as simple as can be: a map of rows, one key at a time.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <utility>
#include <variant>
#include <vector>

#include "base/random.h"
#include "sparse/backoff_keys.h"
#include "sparse/initializer.h"
#include "sparse/reference_format.h"
#include "sparse/reference_optimizer.h"
#include "sparse/table.h"

namespace longtail::test {

class ReferenceTable {
 public:
  struct Row {
    std::uint32_t count = 0;
    std::uint32_t last_step = 0;
    std::vector<float> values;  // In the tail with one accumulator: weights and that one.
    bool is_tail = false;
  };

  explicit ReferenceTable(const TableSpec& spec) : spec_(spec) {}

  const std::map<Key, Row>& rows() const { return rows_; }

  // What a pull gives: the weights, then the count.
  std::pair<std::vector<float>, std::uint32_t> Pull(Key key) const {
    const auto row = rows_.find(key);
    if (row == rows_.end()) return {Start(key), 0};
    if (row->second.is_tail && is_shared()) return {Start(key), row->second.count};
    const auto& values = row->second.values;
    return {{values.begin(), values.begin() + static_cast<long>(spec_.dim)}, row->second.count};
  }

  // A row's values in the form of a RowView.
  std::vector<float> ViewOf(const Row& row) const {
    if (row.is_tail && is_shared()) {
      return std::vector<float>(spec_.dim + sparse::StateSize(spec_.optimizer, spec_.dim), 0.0F);
    }
    Row copy = row;
    Promote(copy);
    return copy.values;
  }

  sparse::PushResult Push(Key key, std::uint32_t count, std::span<const float> gradient,
                          std::uint32_t step, float rate_scale) {
    for (const float g : gradient) {
      if (!std::isfinite(g)) return {.created = 0, .refused_non_finite = 1, .refused_full = 0};
    }
    const auto found = rows_.find(key);
    const bool is_new = found == rows_.end();
    Row row = is_new ? NewRow(key) : found->second;
    const auto total = static_cast<std::uint32_t>(
        std::min<std::uint64_t>(std::uint64_t{row.count} + count, 0xFFFFFFFF));
    const bool is_tail = IsTail(key, total);
    if (is_tail && is_shared()) {
      const sparse::PushResult group = PushGroup(key, count, gradient, step, rate_scale);
      if (group.refused_non_finite != 0) return group;
      rows_[key] = {total, step, {}, true};
      return {.created = group.created + (is_new ? 1U : 0U)};
    }
    if (row.is_tail && !is_tail) {
      if (is_shared()) row.values = NewRow(key).values;
      Promote(row);
      ++promoted_;
    } else if (is_new && is_tail) {
      Demote(row);
    }
    const sparse::RowFrequency seen{
        .count = total,
        .occurrences = count,
        .idle = is_new || step < row.last_step ? 0 : step - row.last_step};
    row.last_step = step;
    Move(rate_scale, gradient, seen, row);
    const std::size_t finite = row.values.size() - Exact(row);
    for (std::size_t i = 0; i < finite; ++i) {
      if (!std::isfinite(row.values[i])) {
        return {.created = 0, .refused_non_finite = 1, .refused_full = 0};
      }
    }
    const std::uint64_t at =
        std::uint64_t{step} << 32 | std::bit_cast<std::uint32_t>(row.values.front());
    row.count = sparse::CountOf(sparse::CountCode(total, RandomBits(spec_.seed, key, at)));
    KeepIn(row, RandomBits(~spec_.seed, key, std::uint64_t{step} << 32 | total));
    rows_[key] = row;
    return {.created = is_new ? 1U : 0U, .refused_non_finite = 0, .refused_full = 0};
  }

  void Import(Key key, Row row) {
    if (IsTail(key, row.count)) Demote(row);
    KeepIn(row, RandomBits(~spec_.seed, key, std::uint64_t{row.last_step} << 32 | row.count));
    rows_[key] = std::move(row);
  }
  bool Erase(Key key) { return rows_.erase(key) != 0; }

  std::uint64_t promoted() const { return promoted_; }

 private:
  bool is_shared() const {
    return spec_.tail.below > 1 && spec_.tail.format.weights == WeightFormat::kShared;
  }
  bool IsTail(Key key, std::uint32_t count) const {
    return spec_.tail.below > 1 && count < spec_.tail.below &&
           !(is_shared() && groups_.contains(key));
  }

  // One group for each (highest bits of the hash, highest bits of the key): where its row lies is
  // the table's secret, so the name is asked of it, once.
  Key GroupOf(Key key) {
    const Key group = sparse::BackoffKeys(spec_).Of(key, Mix64(key));
    groups_.insert(group);
    return group;
  }
  sparse::PushResult PushGroup(Key key, std::uint32_t count, std::span<const float> gradient,
                               std::uint32_t step, float rate_scale) {
    return Push(GroupOf(key), count, gradient, step, rate_scale);
  }

  // What a key has before it has weights of its own.
  std::vector<float> Start(Key key) const {
    if (!is_shared() || groups_.contains(key)) return Initial(key);
    const Key group = sparse::BackoffKeys(spec_).Of(key, Mix64(key));
    const auto row = rows_.find(group);
    if (row == rows_.end()) return Initial(group);
    return {row->second.values.begin(), row->second.values.begin() + static_cast<long>(spec_.dim)};
  }
  std::size_t Exact(const Row& row) const {
    return std::holds_alternative<AdamSpec>(spec_.optimizer.rule) && !row.values.empty() ? 1 : 0;
  }

  std::vector<float> Initial(Key key) const {
    std::vector<float> weights(spec_.dim);
    sparse::Initializer(spec_).Fill(key, weights);
    return weights;
  }

  Row NewRow(Key key) const {
    Row row;
    row.values = Start(key);
    std::vector<float> state(sparse::StateSize(spec_.optimizer, spec_.dim));
    sparse::InitState(spec_.optimizer, row.values, state);
    row.values.insert(row.values.end(), state.begin(), state.end());
    return row;
  }

  void Promote(Row& row) const {
    if (row.is_tail && spec_.tail.rowwise_state) {
      row.values.resize(spec_.dim + spec_.dim, row.values.back());
    }
    row.is_tail = false;
  }
  void Demote(Row& row) const {
    row.is_tail = true;
    if (is_shared()) row.values.clear();
    if (!spec_.tail.rowwise_state) return;
    double sum = 0;
    for (std::size_t i = spec_.dim; i < row.values.size(); ++i) {
      sum += static_cast<double>(row.values[i]);
    }
    row.values.resize(spec_.dim + 1);
    row.values.back() = static_cast<float>(sum / spec_.dim);
  }

  void Move(float rate_scale, std::span<const float> gradient, const sparse::RowFrequency& seen,
            Row& row) const {
    OptimizerSpec optimizer = spec_.optimizer;
    if (row.is_tail && spec_.tail.rowwise_state) {
      const auto& rule = std::get<AdagradSpec>(optimizer.rule);
      optimizer.rule = RowwiseAdagradSpec{.learning_rate = rule.learning_rate,
                                          .initial_accumulator = rule.initial_accumulator,
                                          .epsilon = rule.epsilon};
    }
    ReferenceOptimizer::Push(optimizer, rate_scale, {gradient.begin(), gradient.end()}, row.values,
                             seen);
  }

  void KeepIn(Row& row, std::uint64_t stream) const {
    if (row.values.empty()) return;
    Keep(row.is_tail ? spec_.tail.format : spec_.format, spec_.dim, Exact(row), stream, row.values);
  }

  TableSpec spec_;
  std::map<Key, Row> rows_;
  std::set<Key> groups_;
  std::uint64_t promoted_ = 0;
};

}  // namespace longtail::test
