// Which rows a table gives up, and room for new ones.
#include <algorithm>
#include <array>
#include <cmath>

#include "base/hash.h"
#include "sparse/gradient.h"
#include "sparse/table.h"

namespace longtail::sparse {
namespace {

constexpr std::uint64_t kHashes = std::uint64_t{1} << 32;  // An index orders rows by 32 bits.
constexpr std::uint64_t kCandidates = 16;                  // Rows of which the lowest score goes.

// A row's count, halved once for each half_life steps since its last push.
std::uint32_t Score(const EvictionSpec& spec, std::uint32_t count, std::uint32_t idle) {
  const std::uint32_t halvings = spec.half_life == 0 ? 0 : idle / spec.half_life;
  return halvings >= 32 ? 0 : count >> halvings;
}

}  // namespace

std::uint32_t Table::IdleOf(std::uint32_t row, std::uint32_t step) const {
  const std::uint32_t last = StepOf(TouchAt(store_.Header(row)).step_code, newest_step_);
  return step > last ? step - last : 0;
}

// Slice s of sweep_steps is the part of all hashes that step s looks at.
void Table::EndSteps(std::uint64_t step) {
  const EvictionSpec& eviction = spec_.eviction;
  const std::uint64_t slices = eviction.sweep_steps;
  if (eviction.sweeps() && step > steps_ended_) {
    const std::uint64_t due = std::min(step - steps_ended_, slices);
    for (std::uint64_t ended = step - due; ended < step; ++ended) {
      const std::uint64_t slice = ended % slices;
      Sweep(slice * kHashes / slices, (slice + 1) * kHashes / slices,
            static_cast<std::uint32_t>(step));
    }
  }
  steps_ended_ = std::max(steps_ended_, step);
}

void Table::Sweep(std::uint64_t from, std::uint64_t to, std::uint32_t step) {
  evicted_.clear();
  index_.ForEachIn(from, to, store_, [&](std::uint32_t row, std::uint64_t hash) {
    if (layout_.is_shared() && backoff_.IsOne(hash)) return;
    const std::optional<EvictionReason> reason = ReasonToEvict(row, step);
    if (!reason) return;
    NoteEviction(row, *reason, step);
    evicted_.push_back(row);
  });
  for (const std::uint32_t row : evicted_) Remove(row, Mix64(store_.KeyOf(row)));
}

// Counts a row that is to go, and writes it down.
void Table::NoteEviction(std::uint32_t row, EvictionReason reason, std::uint32_t step) {
  constexpr std::array<std::uint64_t TableStatistics::*, 4> kCounters = {
      &TableStatistics::evicted_idle, &TableStatistics::evicted_score,
      &TableStatistics::evicted_norm, &TableStatistics::evicted_budget};
  ++(done_.*kCounters[static_cast<std::size_t>(reason)]);
  if (!eviction_log_.is_open()) return;
  const RowTouch touch = TouchAt(store_.Header(row));
  eviction_log_.Add({.key = store_.KeyOf(row),
                     .reason = reason,
                     .count = CountOf(touch.count_code),
                     .last_step = StepOf(touch.step_code, newest_step_),
                     .step = step});
}

// The first reason that holds.
std::optional<EvictionReason> Table::ReasonToEvict(std::uint32_t row, std::uint32_t step) {
  const EvictionSpec& eviction = spec_.eviction;
  const std::uint32_t idle = IdleOf(row, step);
  if (eviction.idle_steps != 0 && idle > eviction.idle_steps) return EvictionReason::kIdle;
  const std::uint32_t count = CountOf(TouchAt(store_.Header(row)).count_code);
  if (Score(eviction, count, idle) < eviction.min_score) return EvictionReason::kScore;
  const bool has_weights = !(layout_.is_shared() && store_.IsTail(row));
  if (eviction.min_norm > 0 && has_weights) {
    layout_.codec(store_.IsTail(row)).DecodeWeights(store_.Values(row), view_.data());
    const double norm = std::sqrt(SumOfSquares(view_.data(), dim()));
    if (norm < static_cast<double>(eviction.min_norm)) return EvictionReason::kNorm;
  }
  return std::nullopt;
}

bool Table::Moves(const Place& place) const {
  return place.row == RowIndex::kNone || (store_.IsTail(place.row) && !place.is_tail);
}

bool Table::FitsBudget(const Place& place) const {
  const std::uint64_t budget = spec_.eviction.budget_bytes;
  if (budget == 0) return true;
  std::uint64_t bytes = layout_.budget_bytes(place.is_tail) +
                        store_.full().size() * layout_.budget_bytes(false) +
                        store_.tail().size() * layout_.budget_bytes(true);
  if (place.row != RowIndex::kNone) bytes -= layout_.budget_bytes(true);  // It leaves the tail.
  return bytes <= budget;
}

bool Table::MayHaveRoom(const Place& place) const {
  if (store_.IsFull(place.is_tail)) return false;
  return spec_.eviction.budget_policy == BudgetPolicy::kEvictLowest || FitsBudget(place);
}

bool Table::MakeRoom(const Place& place) {
  while (!FitsBudget(place)) {
    if (EvictNear(place.hash, place.row)) continue;
    return place.row != RowIndex::kNone;  // A promoted row is not refused: the next one pays.
  }
  return true;
}

// Neighbours are those whose hashes are near, not those that lie near: so replicas whose rows came
// in another order evict the same.
bool Table::EvictNear(std::uint64_t hash, std::uint32_t kept) {
  const std::uint64_t rows = std::max<std::uint64_t>(index_.size(), 1);
  const std::uint64_t width = std::min(kHashes, kCandidates * kHashes / rows);
  const std::uint64_t from = ((hash & (kHashes - 1)) + kHashes - width / 2) % kHashes;
  std::uint32_t lowest = RowIndex::kNone;
  std::uint32_t lowest_score = 0;
  std::uint64_t lowest_hash = 0;
  const auto visit = [&](std::uint32_t row, std::uint64_t row_hash) {
    if (row == kept || (layout_.is_shared() && backoff_.IsOne(row_hash))) return;
    const std::uint32_t count = CountOf(TouchAt(store_.Header(row)).count_code);
    const std::uint32_t score = Score(spec_.eviction, count, IdleOf(row, newest_step_));
    if (lowest != RowIndex::kNone &&
        (score > lowest_score || (score == lowest_score && row_hash > lowest_hash))) {
      return;
    }
    lowest = row;
    lowest_score = score;
    lowest_hash = row_hash;
  };
  index_.ForEachIn(from, std::min(from + width, kHashes), store_, visit);
  if (from + width > kHashes) index_.ForEachIn(0, from + width - kHashes, store_, visit);
  if (lowest == RowIndex::kNone) return false;
  NoteEviction(lowest, EvictionReason::kBudget, newest_step_);
  Remove(lowest, lowest_hash);
  return true;
}

}  // namespace longtail::sparse
