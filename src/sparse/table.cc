#include "sparse/table.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <type_traits>
#include <utility>
#include <variant>

#include "base/check.h"
#include "base/hash.h"
#include "base/random.h"
#include "sparse/fixed_dim.h"
#include "sparse/optimizer.h"

namespace longtail::sparse {
namespace {

// Keys that pass a stage together: as many as half of a first cache of 32 KiB has room for.
constexpr std::size_t kGroupMin = 16;
constexpr std::size_t kGroupMax = 48;
constexpr std::size_t kGroupBytes = 16 * 1024;
constexpr std::size_t kLine = 64;
constexpr std::size_t kFetchMax = 1024;  // Beyond this, the hardware's own prefetch has caught up.

RowStore StoreOf(const RowLayout& layout, std::uint32_t rows_max) {
  if (!layout.has_tail()) return RowStore(layout.codec(false).bytes(), rows_max);
  return {layout.codec(false).bytes(), layout.codec(true).bytes(), rows_max};
}

void Fetch(const void* memory, std::size_t bytes) {
  const char* first = static_cast<const char*>(memory);
  for (std::size_t at = 0; at < bytes; at += kLine) __builtin_prefetch(first + at);
  __builtin_prefetch(first + bytes - 1);
}

// Floats to and from any address: loops, because their length is most often a constant, and a
// memcpy of that length would be a call.
inline void LoadFloats(const std::byte* from, std::size_t count, float* to) {
  for (std::size_t i = 0; i < count; ++i)
    std::memcpy(&to[i], from + i * sizeof(float), sizeof(float));
}
inline void StoreFloats(const float* from, std::size_t count, std::byte* to) {
  for (std::size_t i = 0; i < count; ++i)
    std::memcpy(to + i * sizeof(float), &from[i], sizeof(float));
}

// Floats of a plain row, and those of them that must be finite. Constants where dim is one, so that
// loops over them have constant lengths.
template <typename Rule>
constexpr std::size_t PlainCount(std::size_t dim) {
  return dim + StateSize(Rule{}, dim);
}
template <typename Rule>
constexpr std::size_t PlainFiniteCount(std::size_t dim) {
  return PlainCount<Rule>(dim) - (std::is_same_v<Rule, AdamSpec> ? 1 : 0);
}

constexpr std::size_t FetchBytes(std::size_t bytes) {
  return std::min(bytes, kFetchMax);
}

// Takes a batch of keys through three stages, a group after the other. In each stage the misses of
// a group overlap; loops this short run at the speed at which the core can issue them. (One loop
// that has three keys in three stages at a time was measured at two thirds of the speed:
// docs/ENGINE.md.)
//
//   1  hash, fetch the line of the index: of the next group, before this one is visited
//   2  read the line, fetch the header and the first fetch(row) bytes of the values of the row it
//      names; then the same for the few keys that need further lines, which are on their way
//   3  visit(i, hash, candidate)
//
// A group is larger the smaller rows are: `row_bytes` is what is fetched of a row in full format.
// Rows is Slabs where there is one format, which makes the address of a row cheaper, or RowStore.
// A function of its own, into which everything else is inlined: compilers give up on the larger
// whole, at a third of the speed.
template <typename Rows, typename Bytes, typename Visit>
[[gnu::noinline]] void Grouped(std::span<const Key> keys, RowIndex& index, const RowStore& store,
                               const Rows& rows, std::size_t row_bytes, Bytes&& fetch,
                               Visit&& visit) {
  const std::size_t group =
      std::clamp(kGroupBytes / (row_bytes + kRowHeaderBytes + kLine), kGroupMin, kGroupMax);
  std::array<std::array<std::uint64_t, kGroupMax>, 2> hashes;
  std::array<std::uint32_t, kGroupMax> candidates;
  std::array<std::size_t, kGroupMax> elsewhere;
  const auto fetch_row = [&](std::uint32_t row) __attribute__((always_inline)) {
    Fetch(rows.Header(row), kRowHeaderBytes + fetch(row));
  };
  const auto fetch_lines = [&](std::size_t first, std::uint64_t * out)
      __attribute__((always_inline)) {
    const std::size_t n = std::min(group, keys.size() - first);
    for (std::size_t i = 0; i < n; ++i) {
      out[i] = Mix64(keys[first + i]);
      index.Prefetch(out[i]);
    }
  };
  unsigned turn = 0;
  if (!keys.empty()) fetch_lines(0, hashes[0].data());
  for (std::size_t first = 0; first < keys.size(); first += group, turn ^= 1) {
    const std::size_t n = std::min(group, keys.size() - first);
    const std::array<std::uint64_t, kGroupMax>& mine = hashes[turn];
    index.MoveOn(n, store);
    std::size_t elsewhere_count = 0;
    for (std::size_t i = 0; i < n; ++i) {
      const std::uint32_t row = index.NearCandidate(mine[i], fetch_row);
      candidates[i] = row;
      if (row < RowIndex::kElsewhere) [[likely]] {
        fetch_row(row);
      } else if (row == RowIndex::kElsewhere) {
        elsewhere[elsewhere_count++] = i;
      }
    }
    for (std::size_t e = 0; e < elsewhere_count; ++e) {
      const std::size_t i = elsewhere[e];
      candidates[i] = index.Candidate(mine[i]);
      if (candidates[i] != RowIndex::kNone) fetch_row(candidates[i]);
    }
    if (first + group < keys.size()) fetch_lines(first + group, hashes[turn ^ 1].data());
    for (std::size_t i = 0; i < n; ++i) visit(first + i, mine[i], candidates[i]);
  }
}

}  // namespace

Table::Table(const TableSpec& spec, std::uint32_t rows_max)
    : spec_(spec),
      layout_(spec),
      backoff_(spec),
      initializer_(spec),
      store_(StoreOf(layout_, rows_max)),
      values_(layout_.value_count()),
      scratch_(spec.dim),
      view_(layout_.value_count()),
      is_plain_(layout_.is_plain() && spec.eviction.budget_bytes == 0) {
  LONGTAIL_CHECK(Validate(spec).ok());
}

template <bool kPlain>
auto& Table::Rows() {
  if constexpr (kPlain) {
    return store_.full();
  } else {
    return store_;
  }
}

void Table::Pull(std::span<const Key> keys, const RowTarget& target) {
  WithFixedDim(dim(), [&](auto fixed) {
    if (is_plain_) {
      PullDim<decltype(fixed)::value, true>(keys, target);
    } else {
      PullDim<0, false>(keys, target);
    }
  });
  done_.pulls += keys.size();
  uses_.Sample(keys, nullptr);
}

template <std::size_t kDim, bool kPlain>
void Table::PullDim(std::span<const Key> keys, const RowTarget& target) {
  const std::size_t dim = kDim == 0 ? layout_.dim() : kDim;
  const auto& rows = Rows<kPlain>();
  PullsByBucket pulls{};
  const std::size_t full_bytes =
      FetchBytes(kPlain ? dim * sizeof(float) : layout_.codec(false).weight_bytes());
  const auto fetch = [&](std::uint32_t row) {
    return kPlain ? full_bytes : FetchBytes(layout_.codec(store_.IsTail(row)).weight_bytes());
  };
  const auto visit = [&](std::size_t i, std::uint64_t hash, std::uint32_t row)
      __attribute__((always_inline)) {
    const std::size_t slot = target.slots != nullptr ? target.slots[i] : i;
    float* out = target.rows + slot * target.stride;
    if (row != RowIndex::kNone && rows.KeyOf(row) != keys[i]) [[unlikely]] {
      row = index_.Find(keys[i], hash, store_);
    }
    std::uint32_t count_code = 0;
    if (row != RowIndex::kNone) {
      count_code = TouchAt(rows.Header(row)).count_code;
    } else {
      distinct_.Add(hash);
    }
    ++pulls[BucketOf(count_code)];  // A code that is not the count is in the last, as its count.
    if (!kPlain && SharesWeights(hash, row)) {
      StartWeights(keys[i], hash, out);
    } else if (row == RowIndex::kNone) {
      initializer_.Fill(keys[i], {out, dim});
    } else {
      if constexpr (kPlain) {
        std::memcpy(out, rows.Values(row), dim * sizeof(float));
      } else {
        layout_.codec(store_.IsTail(row)).DecodeWeights(rows.Values(row), out);
      }
    }
    if (target.counts != nullptr) target.counts[slot] = CountOf(count_code);
  };
  Grouped(keys, index_, store_, rows, full_bytes, fetch, visit);
  for (std::size_t i = 0; i < pulls.size(); ++i) done_.pulls_by_bucket[i] += pulls[i];
}

PushResult Table::Push(std::span<const Key> keys, std::span<const std::uint32_t> counts,
                       std::span<const float> gradients, std::uint32_t step,
                       float learning_rate_scale) {
  LONGTAIL_CHECK(counts.size() == keys.size());
  LONGTAIL_CHECK(gradients.size() == keys.size() * dim());
  PushResult result{.created = 0, .refused_non_finite = keys.size(), .refused_full = 0};
  if (std::isfinite(learning_rate_scale) && learning_rate_scale > 0) {
    const OptimizerRule scaled = WithRateScale(spec_.optimizer.rule, learning_rate_scale);
    const Batch batch{keys, counts, gradients, step};
    newest_step_ = std::max(newest_step_, step);
    result = std::visit(
        [&](const auto& rule) {
          return WithFixedDim(dim(), [&](auto fixed) {
            return is_plain_ ? PushRule<decltype(fixed)::value, true>(rule, batch)
                             : PushRule<0, false>(rule, batch);
          });
        },
        scaled);
  }
  uses_.Sample(keys, counts.data());
  done_.pushes += keys.size();
  done_.rows_created += result.created;
  done_.non_finite_refused += result.refused_non_finite;
  done_.full_refused += result.refused_full;
  return result;
}

// A row is moved in values_ and written back only if all went well.
template <std::size_t kDim, bool kPlain, typename Rule>
PushResult Table::PushRule(const Rule& rule, const Batch& batch) {
  const std::size_t dim = kDim == 0 ? layout_.dim() : kDim;
  const std::size_t plain_count = PlainCount<Rule>(dim);
  const std::uint64_t removals = removals_;
  const bool is_simple = !UsesFrequency(spec_.optimizer.frequency) &&
                         !ShapesGradient(spec_.optimizer) && spec_.optimizer.weight_clip == 0;
  float* const values = values_.data();
  auto& rows = Rows<kPlain>();
  PushResult result;
  const std::size_t full_bytes =
      FetchBytes(kPlain ? plain_count * sizeof(float) : layout_.codec(false).bytes());
  const auto fetch = [&](std::uint32_t row) {
    return kPlain ? full_bytes : FetchBytes(layout_.codec(store_.IsTail(row)).bytes());
  };
  const auto visit = [&](std::size_t i, std::uint64_t hash, std::uint32_t row)
      __attribute__((always_inline)) {
    const Key key = batch.keys[i];
    const float* gradient = batch.gradients.data() + i * dim;
    if (!AllFinite(gradient, dim)) {
      ++result.refused_non_finite;
      return;
    }
    // Since the row was looked for, this batch may have created it, or removed it: then its header
    // still names its key.
    if (row == RowIndex::kNone || rows.KeyOf(row) != key || (!kPlain && removals_ != removals)) {
      row = index_.Find(key, hash, store_);
    }
    RowFrequency seen{.count = batch.counts[i], .occurrences = batch.counts[i], .idle = 0};
    if (row != RowIndex::kNone) {
      seen.count = AddSaturating(CountOf(TouchAt(rows.Header(row)).count_code), seen.count);
      if (spec_.optimizer.frequency.idle_decay > 0) seen.idle = IdleOf(row, batch.step);
    } else {
      distinct_.Add(hash);
    }
    Place place{.row = row, .hash = hash, .is_tail = !kPlain && BelongsInTail(hash, seen.count)};
    const bool moves = row == RowIndex::kNone || (!kPlain && Moves(place));
    if (moves && !MayHaveRoom(place)) {
      if (row == RowIndex::kNone) {
        ++result.refused_full;
        return;
      }
      // It stays where it is, and below admission if that is what its place means: a restored row
      // of this count would otherwise be taken for one with weights of its own.
      place.is_tail = true;
      if (layout_.is_shared()) seen.count = std::min(seen.count, spec_.tail.below - 1);
    }
    if (!kPlain && place.is_tail && layout_.is_shared()) {
      return PushShared(rule, batch, i, place, seen.count, result);
    }

    if constexpr (kPlain) {
      if (row == RowIndex::kNone) {
        LoadInitial(key, hash, false);
      } else {
        LoadFloats(rows.Values(row), plain_count, values);
      }
      const RowStep step{gradient, values, values + dim, dim};
      if (is_simple) {
        ApplyRow(rule, step);
      } else {
        ApplyShaped(spec_.optimizer, rule, step, seen, scratch_.data());
      }
    } else {
      Load(key, place);
      ApplyCoded(rule, place.is_tail, gradient, seen);
    }
    if (!AllFinite(values, kPlain ? PlainFiniteCount<Rule>(dim) : FiniteCount(place.is_tail))) {
      ++result.refused_non_finite;
      return;
    }

    if (moves && (row == RowIndex::kNone || !place.is_tail)) {
      if (!MakeRoom(place)) {
        ++result.refused_full;
        return;
      }
      result.created += row == RowIndex::kNone ? 1 : 0;
      row = Settle(key, place);
    }
    BeforeChange(row);
    if constexpr (kPlain) {
      StoreFloats(values, plain_count, rows.Values(row));
    } else {
      const std::uint64_t at = std::uint64_t{batch.step} << 32 | seen.count;
      layout_.codec(place.is_tail)
          .Encode(values, RandomBits(~spec_.seed, key, at), rows.Values(row));
    }
    Touch(rows.Header(row), seen.count, batch.step);
  };
  Grouped(batch.keys, index_, store_, rows, full_bytes, fetch, visit);
  return result;
}

// Floats of values_ that must be finite: all but those at the end that mean whole numbers.
std::size_t Table::FiniteCount(bool is_tail) const {
  return dim() + layout_.codec(is_tail).state_size() - ExactStateSize(spec_.optimizer);
}

bool Table::BelongsInTail(std::uint64_t hash, std::uint32_t count) const {
  return layout_.IsTail(count) && !(layout_.is_shared() && backoff_.IsOne(hash));
}

// Whether the back-off row stands in for a key with this row, kNone if it has none.
bool Table::SharesWeights(std::uint64_t hash, std::uint32_t row) const {
  return layout_.is_shared() && (row == RowIndex::kNone || store_.IsTail(row)) &&
         !backoff_.IsOne(hash);
}

// What a key has before it has weights of its own: those of its back-off row, or of that row's
// beginning; without sharing, its own beginning.
void Table::StartWeights(Key key, std::uint64_t hash, float* weights) const {
  if (!layout_.is_shared() || backoff_.IsOne(hash)) {
    return initializer_.Fill(key, {weights, dim()});
  }
  const Key group = backoff_.Of(key, hash);
  const std::uint32_t row = index_.Find(group, Mix64(group), store_);
  if (row == RowIndex::kNone) return initializer_.Fill(group, {weights, dim()});
  layout_.codec(false).DecodeWeights(store_.Values(row), weights);
}

// Counts a key that is not admitted, and moves its back-off row in its stead.
template <typename Rule>
void Table::PushShared(const Rule& rule, const Batch& batch, std::size_t i, const Place& place,
                       std::uint32_t count, PushResult& result) {
  const Key key = batch.keys[i];
  const Key group_key = backoff_.Of(key, place.hash);
  const std::uint64_t group_hash = Mix64(group_key);
  Place group{.row = index_.Find(group_key, group_hash, store_), .hash = group_hash};
  RowFrequency seen{.count = batch.counts[i], .occurrences = batch.counts[i], .idle = 0};
  if (group.row != RowIndex::kNone) {
    seen.count = AddSaturating(CountOf(TouchAt(store_.Header(group.row)).count_code), seen.count);
    seen.idle = IdleOf(group.row, batch.step);
  }
  Load(group_key, group);
  ApplyCoded(rule, false, batch.gradients.data() + i * dim(), seen);
  if (!AllFinite(values_.data(), FiniteCount(false))) {
    ++result.refused_non_finite;
    return;
  }
  if (group.row == RowIndex::kNone) {
    if (!MayHaveRoom(group) || !MakeRoom(group)) {
      ++result.refused_full;
      return;
    }
    group.row = Settle(group_key, group);
    ++result.created;
  }
  // Room for its group may have been its own.
  std::uint32_t row = index_.Find(key, place.hash, store_);
  if (row == RowIndex::kNone) {
    const Place own{.row = RowIndex::kNone, .hash = place.hash, .is_tail = true};
    if (!MayHaveRoom(own) || !MakeRoom(own)) {
      ++result.refused_full;
      return;
    }
    row = Settle(key, own);
    ++result.created;
  }
  BeforeChange(group.row);
  BeforeChange(row);
  const std::uint64_t at = std::uint64_t{batch.step} << 32 | seen.count;
  layout_.codec(false).Encode(values_.data(), RandomBits(~spec_.seed, group_key, at),
                              store_.Values(group.row));
  Touch(store_.Header(group.row), seen.count, batch.step);
  Touch(store_.Header(row), count, batch.step);
  ++done_.shared_pushes;
}

// The floats of a new row, as the format wants them in which it will lie.
void Table::LoadInitial(Key key, std::uint64_t hash, bool is_tail) {
  const std::span<float> weights(values_.data(), dim());
  StartWeights(key, hash, weights.data());
  InitState(spec_.optimizer, weights, {values_.data() + dim(), layout_.state_size()});
  if (is_tail) layout_.Contract(values_.data());
}

void Table::Load(Key key, const Place& place) {
  const bool was_tail = place.row != RowIndex::kNone && store_.IsTail(place.row);
  if (place.row == RowIndex::kNone || (was_tail && layout_.is_shared())) {
    return LoadInitial(key, place.hash, place.is_tail);
  }
  layout_.codec(was_tail).Decode(store_.Values(place.row), values_.data());
  if (was_tail && !place.is_tail) layout_.Expand(values_.data());
}

template <typename Rule>
void Table::ApplyCoded(const Rule& rule, bool is_tail, const float* gradient,
                       const RowFrequency& seen) {
  const RowStep step{gradient, values_.data(), values_.data() + dim(), dim()};
  if constexpr (std::is_same_v<Rule, AdagradSpec>) {
    if (is_tail && layout_.is_rowwise()) {
      const RowwiseAdagradSpec rowwise{.learning_rate = rule.learning_rate,
                                       .initial_accumulator = rule.initial_accumulator,
                                       .epsilon = rule.epsilon};
      return ApplyShaped(spec_.optimizer, rowwise, step, seen, scratch_.data());
    }
  }
  ApplyShaped(spec_.optimizer, rule, step, seen, scratch_.data());
}

// Gives a row its new place, and the index that place; its values are still to be written.
std::uint32_t Table::Settle(Key key, const Place& place) {
  if (place.row != RowIndex::kNone) {
    Remove(place.row, place.hash);
    ++done_.rows_promoted;
  }
  const std::uint32_t row = store_.Take(place.is_tail);
  SetKey(store_.Header(row), key);
  SetTouch(store_.Header(row), {});
  if (changes_ != nullptr) changes_->Create(store_, row);
  index_.Insert(row, place.hash, store_);
  return row;
}

void Table::Remove(std::uint32_t row, std::uint64_t hash) {
  BeforeChange(row);
  if (changes_ != nullptr) changes_->Free(store_, row);
  index_.Erase(row, hash);
  store_.Free(row);
  ++removals_;
}

// A large count is rounded by random bits that depend on the row's own weights: so they change with
// every push and are the same wherever the row is.
void Table::Touch(std::byte* header, std::uint32_t count, std::uint32_t step) {
  std::uint64_t random = 0;
  if (count >= kExactCountEnd) {
    const auto weight = std::bit_cast<std::uint32_t>(values_[0]);
    random = RandomBits(spec_.seed, KeyAt(header), std::uint64_t{step} << 32 | weight);
  }
  SetTouch(header, {CountCode(count, random), StepCode(step, newest_step_)});
}

}  // namespace longtail::sparse
