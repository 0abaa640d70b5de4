#include "sparse/table.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <variant>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/hash.h"
#include "base/random.h"
#include "sparse/fixed_dim.h"
#include "sparse/optimizer.h"

namespace longtail::sparse {
namespace {

constexpr std::size_t kGroup = 32;  // Keys that pass a stage together: enough to hide a cache miss.
constexpr std::size_t kLine = 64;
constexpr std::size_t kFetchMax = 1024;  // Beyond this, the hardware's own prefetch has caught up.

RowLayout LayoutOf(const TableSpec& spec) {
  return {.dim = spec.dim, .state_size = StateSize(spec.optimizer, spec.dim)};
}

void Fetch(const void* memory, std::size_t bytes) {
  const char* first = static_cast<const char*>(memory);
  for (std::size_t at = 0; at < bytes; at += kLine) __builtin_prefetch(first + at);
  __builtin_prefetch(first + bytes - 1);
}

// Takes a batch of keys through three stages, a group after the other. In each stage the misses of
// a group overlap; loops this short run at the speed at which the core can issue them. (One loop
// that has three keys in three stages at a time was measured at two thirds of the speed:
// docs/ENGINE.md.)
//
//   1  hash, fetch the line of the index
//   2  read the line, fetch the header and the first fetch_bytes of the values of the row it names
//   3  visit(i, hash, candidate)
template <typename Visit>
void Grouped(std::span<const Key> keys, RowIndex& index, const Slabs& slabs,
             std::size_t fetch_bytes, Visit&& visit) {
  std::array<std::uint64_t, kGroup> hashes;
  std::array<std::uint32_t, kGroup> candidates;
  for (std::size_t first = 0; first < keys.size(); first += kGroup) {
    const std::size_t n = std::min(kGroup, keys.size() - first);
    index.MoveOn(slabs);
    for (std::size_t i = 0; i < n; ++i) {
      hashes[i] = Mix64(keys[first + i]);
      index.Prefetch(hashes[i]);
    }
    for (std::size_t i = 0; i < n; ++i) {
      candidates[i] = index.Candidate(hashes[i]);
      if (candidates[i] == RowIndex::kNone) continue;
      Fetch(slabs.Header(candidates[i]), kRowHeaderBytes);
      Fetch(slabs.Values(candidates[i]), fetch_bytes);
    }
    for (std::size_t i = 0; i < n; ++i) visit(first + i, hashes[i], candidates[i]);
  }
}

}  // namespace

Table::Table(const TableSpec& spec, std::uint32_t rows_max)
    : spec_(spec),
      layout_(LayoutOf(spec)),
      initializer_(spec),
      slabs_(layout_.value_bytes(), rows_max),
      scratch_(spec.dim) {
  LONGTAIL_CHECK(Validate(spec).ok());
}

void Table::Pull(std::span<const Key> keys, const RowTarget& target) {
  WithFixedDim(layout_.dim, [&](auto fixed) { PullDim<decltype(fixed)::value>(keys, target); });
  pulls_ += keys.size();
}

template <std::size_t kDim>
void Table::PullDim(std::span<const Key> keys, const RowTarget& target) {
  const std::size_t dim = kDim == 0 ? layout_.dim : kDim;
  const std::size_t fetch = std::min(dim * sizeof(float), kFetchMax);
  const auto visit = [&](std::size_t i, std::uint64_t hash, std::uint32_t row) {
    const std::size_t slot = target.slots != nullptr ? target.slots[i] : i;
    float* out = target.rows + slot * target.stride;
    if (row != RowIndex::kNone && slabs_.KeyOf(row) != keys[i]) [[unlikely]] {
      row = index_.Find(keys[i], hash, slabs_);
    }
    std::uint32_t count = 0;
    if (row == RowIndex::kNone) {
      initializer_.Fill(keys[i], {out, dim});
    } else {
      if (target.counts != nullptr) count = CountOf(TouchAt(slabs_.Header(row)).count_code);
      std::memcpy(out, slabs_.Values(row), dim * sizeof(float));
    }
    if (target.counts != nullptr) target.counts[slot] = count;
  };
  Grouped(keys, index_, slabs_, fetch, visit);
}

PushResult Table::Push(std::span<const Key> keys, std::span<const std::uint32_t> counts,
                       std::span<const float> gradients, std::uint32_t step,
                       float learning_rate_scale) {
  LONGTAIL_CHECK(counts.size() == keys.size());
  LONGTAIL_CHECK(gradients.size() == keys.size() * layout_.dim);
  PushResult result{.created = 0, .refused_non_finite = keys.size(), .refused_full = 0};
  if (std::isfinite(learning_rate_scale) && learning_rate_scale > 0) {
    const OptimizerRule scaled = WithRateScale(spec_.optimizer.rule, learning_rate_scale);
    const Batch batch{keys, counts, gradients, step};
    newest_step_ = std::max(newest_step_, step);
    result = std::visit(
        [&](const auto& rule) {
          return WithFixedDim(layout_.dim, [&](auto fixed) {
            return PushRule<decltype(fixed)::value>(rule, batch);
          });
        },
        scaled);
  }
  pushes_ += keys.size();
  rows_created_ += result.created;
  non_finite_refused_ += result.refused_non_finite;
  full_refused_ += result.refused_full;
  return result;
}

template <std::size_t kDim, typename Rule>
PushResult Table::PushRule(const Rule& rule, const Batch& batch) {
  const std::size_t dim = kDim == 0 ? layout_.dim : kDim;
  const std::size_t fetch = std::min(layout_.value_bytes(), kFetchMax);
  PushResult result;
  const auto visit = [&](std::size_t i, std::uint64_t hash, std::uint32_t row) {
    const Key key = batch.keys[i];
    const float* gradient = batch.gradients.data() + i * dim;
    if (!AllFinite(gradient, dim)) {
      ++result.refused_non_finite;
      return;
    }
    // Since the row was looked for, this batch may have created it; none is ever removed here.
    if (row == RowIndex::kNone || slabs_.KeyOf(row) != key) row = index_.Find(key, hash, slabs_);
    if (row == RowIndex::kNone) {
      if (slabs_.IsFull()) {
        ++result.refused_full;
        return;
      }
      row = CreateInitial(key, hash);
      ++result.created;
    }
    float* values = slabs_.Values(row);
    ApplyShaped(spec_.optimizer, rule, RowStep{gradient, values, values + dim, dim},
                scratch_.data());
    Touch(row, batch.counts[i], batch.step);
  };
  Grouped(batch.keys, index_, slabs_, fetch, visit);
  return result;
}

// The row's own weights give the chance that a large count is rounded by: it changes with every
// push and is the same wherever the row is.
void Table::Touch(std::uint32_t row, std::uint32_t count, std::uint32_t step) {
  std::byte* header = slabs_.Header(row);
  const std::uint32_t total = AddSaturating(CountOf(TouchAt(header).count_code), count);
  std::uint64_t random = 0;
  if (total >= kExactCountEnd) {
    const auto weight = std::bit_cast<std::uint32_t>(slabs_.Values(row)[0]);
    random = RandomBits(spec_.seed, KeyAt(header), std::uint64_t{step} << 32 | weight);
  }
  SetTouch(header, {CountCode(total, random), StepCode(step, newest_step_)});
}

std::uint32_t Table::Create(Key key, std::uint64_t hash) {
  const std::uint32_t row = slabs_.Take();
  SetKey(slabs_.Header(row), key);
  SetTouch(slabs_.Header(row), {});
  index_.Insert(row, hash, slabs_);
  return row;
}

std::uint32_t Table::CreateInitial(Key key, std::uint64_t hash) {
  const std::uint32_t row = Create(key, hash);
  float* values = slabs_.Values(row);
  const std::span<float> weights(values, layout_.dim);
  initializer_.Fill(key, weights);
  InitState(spec_.optimizer, weights, {values + layout_.dim, layout_.state_size});
  return row;
}

RowView Table::ViewOf(std::uint32_t row) const {
  const std::byte* header = slabs_.Header(row);
  const RowTouch touch = TouchAt(header);
  return {.key = KeyAt(header),
          .count = CountOf(touch.count_code),
          .last_step = StepOf(touch.step_code, newest_step_),
          .values = {slabs_.Values(row), layout_.value_count()}};
}

bool Table::Find(Key key, RowView* view) const {
  const std::uint32_t row = index_.Find(key, Mix64(key), slabs_);
  if (row == RowIndex::kNone) return false;
  *view = ViewOf(row);
  return true;
}

absl::Status Table::Import(const RowView& row) {
  if (row.values.size() != value_count()) {
    return absl::InvalidArgumentError(absl::StrCat("table '", spec_.name, "': key ", row.key,
                                                   ": row of ", row.values.size(), " values: want ",
                                                   value_count(), " (", layout_.dim, " weights, ",
                                                   layout_.state_size, " of optimizer state)"));
  }
  const std::uint64_t hash = Mix64(row.key);
  std::uint32_t number = index_.Find(row.key, hash, slabs_);
  if (number == RowIndex::kNone) {
    if (slabs_.IsFull()) {
      return absl::ResourceExhaustedError(
          absl::StrCat("table '", spec_.name, "': key ", row.key, ": this partition holds ",
                       slabs_.rows_max(), " rows, which is its limit: want more partitions"));
    }
    number = Create(row.key, hash);
  }
  newest_step_ = std::max(newest_step_, row.last_step);
  SetTouch(slabs_.Header(number), {CountCode(row.count, 0), StepCode(row.last_step, newest_step_)});
  std::memcpy(slabs_.Values(number), row.values.data(), row.values.size_bytes());
  return absl::OkStatus();
}

bool Table::Erase(Key key) {
  const std::uint64_t hash = Mix64(key);
  const std::uint32_t row = index_.Find(key, hash, slabs_);
  if (row == RowIndex::kNone) return false;
  index_.Erase(row, hash);
  slabs_.Free(row);
  return true;
}

}  // namespace longtail::sparse
