#include "sparse/table.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <variant>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/hash.h"
#include "sparse/optimizer.h"

namespace longtail::sparse {
namespace {

constexpr std::size_t kAhead = 16;  // Keys between two stages: enough to hide a cache miss.
constexpr std::size_t kRing = 64;   // A power of two above 2 * kAhead.
constexpr std::size_t kLine = 64;
constexpr std::size_t kFetchMax = 1024;  // Beyond this, the hardware's own prefetch has caught up.

RowLayout LayoutOf(const TableSpec& spec) {
  return {.dim = spec.dim, .state_size = StateSize(spec.optimizer, spec.dim)};
}

std::uint32_t AddSaturating(std::uint32_t a, std::uint32_t b) {
  const std::uint32_t sum = a + b;
  return sum < a ? 0xFFFFFFFF : sum;
}

// Takes a batch of keys through three stages, each kAhead keys behind the one before, so that the
// two cache misses of a key overlap with those of its neighbours:
//
//   key i + 2 kAhead: hash, fetch the line of the index
//   key i + kAhead:   read the line, fetch the row that it names, its first fetch_bytes bytes
//   key i:            visit(i, hash, candidate)
template <typename Visit>
void Pipeline(std::span<const Key> keys, const RowIndex& index, const Slabs& slabs,
              std::size_t fetch_bytes, Visit&& visit) {
  struct Entry {
    std::uint64_t hash;
    std::uint32_t candidate;
  };
  std::array<Entry, kRing> ring;
  const std::size_t n = keys.size();
  for (std::size_t i = 0; i < n + 2 * kAhead; ++i) {
    if (i < n) {
      const std::uint64_t hash = Mix64(keys[i]);
      ring[i % kRing].hash = hash;
      index.Prefetch(hash);
    }
    if (i >= kAhead && i - kAhead < n) {
      Entry& entry = ring[(i - kAhead) % kRing];
      entry.candidate = index.Candidate(entry.hash);
      if (entry.candidate != RowIndex::kNone) {
        const std::byte* row = slabs.Row(entry.candidate);
        for (std::size_t at = 0; at < fetch_bytes; at += kLine) __builtin_prefetch(row + at);
        __builtin_prefetch(row + fetch_bytes - 1);
      }
    }
    if (i >= 2 * kAhead) {
      const Entry& entry = ring[(i - 2 * kAhead) % kRing];
      visit(i - 2 * kAhead, entry.hash, entry.candidate);
    }
  }
}

}  // namespace

Table::Table(const TableSpec& spec)
    : spec_(spec),
      layout_(LayoutOf(spec)),
      initializer_(spec),
      slabs_(layout_.row_bytes()),
      scratch_(spec.dim) {
  LONGTAIL_CHECK(Validate(spec).ok());
}

void Table::Pull(std::span<const Key> keys, const RowTarget& target) {
  const std::size_t dim = layout_.dim;
  const std::size_t fetch = std::min(sizeof(RowHeader) + dim * sizeof(float), kFetchMax);
  const auto visit = [&](std::size_t i, std::uint64_t hash, std::uint32_t row) {
    const std::size_t slot = target.slots != nullptr ? target.slots[i] : i;
    float* out = target.rows + slot * target.stride;
    if (row != RowIndex::kNone && slabs_.KeyOf(row) != keys[i]) {
      row = index_.Find(keys[i], hash, slabs_);
    }
    std::uint32_t count = 0;
    if (row == RowIndex::kNone) {
      initializer_.Fill(keys[i], {out, dim});
    } else {
      const std::byte* bytes = slabs_.Row(row);
      count = HeaderOf(bytes).count;
      std::memcpy(out, ValuesOf(bytes), dim * sizeof(float));
    }
    if (target.counts != nullptr) target.counts[slot] = count;
  };
  Pipeline(keys, index_, slabs_, fetch, visit);
  pulls_ += keys.size();
}

PushResult Table::Push(std::span<const Key> keys, std::span<const std::uint32_t> counts,
                       std::span<const float> gradients, std::uint32_t step,
                       float learning_rate_scale) {
  LONGTAIL_CHECK(counts.size() == keys.size());
  LONGTAIL_CHECK(gradients.size() == keys.size() * layout_.dim);
  PushResult result{.created = 0, .refused_non_finite = keys.size()};
  if (std::isfinite(learning_rate_scale) && learning_rate_scale > 0) {
    const OptimizerRule scaled = WithRateScale(spec_.optimizer.rule, learning_rate_scale);
    const Batch batch{keys, counts, gradients, step};
    result = std::visit([&](const auto& rule) { return PushRule(rule, batch); }, scaled);
  }
  pushes_ += keys.size();
  rows_created_ += result.created;
  non_finite_refused_ += result.refused_non_finite;
  return result;
}

template <typename Rule>
PushResult Table::PushRule(const Rule& rule, const Batch& batch) {
  const std::size_t dim = layout_.dim;
  const std::size_t fetch = std::min(layout_.used_bytes(), kFetchMax);
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
    std::byte* bytes = nullptr;
    if (row == RowIndex::kNone) {
      bytes = CreateInitial(key, hash);
      ++result.created;
    } else {
      bytes = slabs_.Row(row);
    }
    RowHeader& header = HeaderOf(bytes);
    header.count = AddSaturating(header.count, batch.counts[i]);
    header.last_step = batch.step;
    float* values = ValuesOf(bytes);
    ApplyShaped(spec_.optimizer, rule, RowStep{gradient, values, values + dim, dim},
                scratch_.data());
  };
  Pipeline(batch.keys, index_, slabs_, fetch, visit);
  return result;
}

std::byte* Table::Create(Key key, std::uint64_t hash) {
  const std::uint32_t row = slabs_.Take();
  std::byte* bytes = slabs_.Row(row);
  HeaderOf(bytes) = {.key = key, .count = 0, .last_step = 0};
  index_.Insert(row, hash, slabs_);
  return bytes;
}

std::byte* Table::CreateInitial(Key key, std::uint64_t hash) {
  std::byte* bytes = Create(key, hash);
  const std::span<float> weights(ValuesOf(bytes), layout_.dim);
  initializer_.Fill(key, weights);
  InitState(spec_.optimizer, weights, {ValuesOf(bytes) + layout_.dim, layout_.state_size});
  return bytes;
}

RowView Table::ViewOf(const std::byte* row) const {
  const RowHeader& header = HeaderOf(row);
  return {.key = header.key,
          .count = header.count,
          .last_step = header.last_step,
          .values = {ValuesOf(row), layout_.value_count()}};
}

bool Table::Find(Key key, RowView* view) const {
  const std::uint32_t row = index_.Find(key, Mix64(key), slabs_);
  if (row == RowIndex::kNone) return false;
  *view = ViewOf(slabs_.Row(row));
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
  const std::uint32_t found = index_.Find(row.key, hash, slabs_);
  std::byte* bytes = found == RowIndex::kNone ? Create(row.key, hash) : slabs_.Row(found);
  HeaderOf(bytes) = {.key = row.key, .count = row.count, .last_step = row.last_step};
  std::memcpy(ValuesOf(bytes), row.values.data(), row.values.size_bytes());
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
