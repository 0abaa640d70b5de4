// The rows of one table in one partition.
//
// A Table is plain state: the same calls in the same order leave the same bytes, on any machine.
// It opens nothing, reads no clock and draws no random number.
//
// Thread: one owner.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "longtail/ids.h"
#include "longtail/statistics.h"
#include "longtail/table_spec.h"
#include "sparse/backoff_keys.h"
#include "sparse/distinct_keys.h"
#include "sparse/eviction_log.h"
#include "sparse/initializer.h"
#include "sparse/row_changes.h"
#include "sparse/row_cut.h"
#include "sparse/row_index.h"
#include "sparse/row_layout.h"
#include "sparse/row_store.h"
#include "sparse/use_sampler.h"

namespace longtail::sparse {

/// Where Pull writes. Row i goes to rows + (slots ? slots[i] : i) * stride, its count to counts at
/// the same slot.
struct RowTarget {
  float* rows = nullptr;                 ///< Room for dim floats at each slot.
  const std::uint32_t* slots = nullptr;  ///< [n], or null: slot i is i.
  std::size_t stride = 0;                ///< Floats from one slot to the next.
  std::uint32_t* counts = nullptr;       ///< A count at each slot, or null: not wanted.
};

/// What a Push did beyond moving rows.
struct PushResult {
  std::uint64_t created = 0;             ///< Rows that did not exist.
  std::uint64_t refused_non_finite = 0;  ///< Keys whose gradient, or what it would have made of
                                         ///< the row, had an infinity or a NaN.
  std::uint64_t refused_full = 0;        ///< Keys without a row, of which the table has no more.
};

/// All that a row is, in full floats whatever its format; a tail row's state as it would be if it
/// were promoted.
struct RowView {
  Key key = 0;
  std::uint32_t count = 0;
  std::uint32_t last_step = 0;
  std::span<const float> values;  ///< [value_count]: weights, then optimizer state.
};

/// A moment that a table remembers changes since: see Table::MarkChanges.
enum class ChangesSince : std::uint8_t { kUnknown, kMarkBefore, kMark };

class Table {
 public:
  /// For up to rows_max rows of each format. Needs a spec that Validate accepts, rows_max <=
  /// Slabs::kRowsMax.
  explicit Table(const TableSpec& spec, std::uint32_t rows_max = Slabs::kRowsMax);

  const TableSpec& spec() const { return spec_; }
  std::uint32_t dim() const { return layout_.dim(); }

  /// Floats of a RowView: weights and optimizer state.
  std::size_t value_count() const { return layout_.value_count(); }

  std::uint64_t row_count() const { return index_.size(); }

  /// Reads weights. A key without a row gets its initial value and the count 0, and still has no
  /// row afterwards.
  ///
  /// Shapes: keys [n], repeats allowed.
  /// Cost:   two cache misses a row, overlapped; no allocation.
  void Pull(std::span<const Key> keys, const RowTarget& target);

  /// Moves rows by their gradients, which `counts` training examples were behind. A key without a
  /// row gets one, from its initial value, unless there are rows_max or the budget says no. A row's
  /// count grows up to 2^32 - 1 and stays there; its last step becomes `step`. Both are kept as
  /// sparse/row_header.h says: counts from 2^23 on in units of 512, steps within 2^24 of the
  /// newest. A row whose count reaches the tail's bound is promoted. A gradient with an infinity or
  /// a NaN, or that would put one into the row, is refused whole: it creates and changes nothing.
  /// The rule's learning rate is multiplied by learning_rate_scale, for a schedule.
  ///
  /// Shapes: keys [n], a repeated one is applied once for each; counts [n]; gradients [n, dim],
  ///         row-major. Wrong shapes are a bug in the caller and abort.
  /// Cost:   two cache misses a row, overlapped; no allocation unless rows are created.
  PushResult Push(std::span<const Key> keys, std::span<const std::uint32_t> counts,
                  std::span<const float> gradients, std::uint32_t step, float learning_rate_scale);

  /// Says that steps below `step` have ended: sweeps what of the table is due (EvictionSpec) and
  /// evicts what it finds there. A step that was told before does nothing.
  ///
  /// Cost: a cache miss a row of the part that is due, overlapped; the whole table at most.
  void EndSteps(std::uint64_t step);

  /// The table begins at this step: what lies before it will not be swept.
  void BeginAtStep(std::uint64_t step) { steps_ended_ = step; }

  /// The newest step of any push, and the steps that have ended: with the rows, all that decides
  /// what comes next.
  std::uint32_t newest_step() const { return newest_step_; }
  std::uint64_t steps_ended() const { return steps_ended_; }

  /// Sets both, after the rows of another such table were imported.
  void RestoreSteps(std::uint32_t newest, std::uint64_t ended) {
    newest_step_ = std::max(newest_step_, newest);
    steps_ended_ = ended;
  }

  /// What was evicted, once it is open. It is no state of the table.
  EvictionLog& eviction_log() { return eviction_log_; }

  /// Whether the index is being grown: searches cost more until pulls and pushes have moved it on.
  bool is_growing() const { return index_.is_growing(); }

  /// Counts, bytes, histogram and hash.
  ///
  /// Cost: reads every row.
  TableStatistics Statistics() const;

  /// What of Statistics() needs no row: all but rows_by_count and hash.
  ///
  /// Cost: some microseconds.
  TableStatistics Counts() const;

  /// A hash of all rows' keys, counts, last steps, weights and states. Independent of their order;
  /// the sum (mod 2^64) over the partitions of a table does not depend on how many there are.
  ///
  /// Cost: reads every row.
  std::uint64_t ContentHash() const;

  /// One more than the last place of a row: ranges of places cut a table into chunks.
  std::uint32_t place_end() const { return store_.place_end(); }

  /// Calls visit(RowView) for the rows at places first to last - 1, in their order. The view holds
  /// during the call.
  template <typename Visit>
  void ForEachRow(std::uint32_t first, std::uint32_t last, Visit&& visit) const {
    store_.ForEach(first, last, [&](std::uint32_t row) { visit(ViewOf(row)); });
  }

  /// Calls visit(RowView) for every row.
  template <typename Visit>
  void ForEachRow(Visit&& visit) const {
    ForEachRow(0, place_end(), visit);
  }

  /// Calls visit(count) for the rows at places first to last - 1: how often each was trained.
  ///
  /// Cost: a cache line a row, in the order of memory.
  template <typename Visit>
  void ForEachCount(std::uint32_t first, std::uint32_t last, Visit&& visit) const {
    store_.ForEach(first, last, [&](std::uint32_t row) {
      visit(CountOf(TouchAt(store_.Header(row)).count_code));
    });
  }

  /// From now on the rows as they are can be visited while the table goes on. Bytes of those rows.
  /// Needs that no cut is under way.
  ///
  /// Cost: a bit a row; then, until EndCut, memory of the rows that change before their visit.
  std::uint64_t BeginCut();

  /// From now on the table remembers what changes: a mark. What changed between the mark before and
  /// this one is remembered, too. It is no state of the table.
  ///
  /// Cost: two bits a row for each of two marks, and the keys of rows that go, up to an eighth of
  ///       the rows; a bit is set with each row that changes.
  void MarkChanges();

  /// Forgets what changed before that moment; kUnknown: all. From here on, up to the next mark,
  /// there is one set of changes, those since then.
  void KeepChanges(ChangesSince since);

  /// Whether all changes since then are known: no more keys went than are remembered.
  bool knows_changes() const { return changes_ != nullptr && changes_->is_whole(); }

  /// As BeginCut, of the rows that changed since KeepChanges said. Needs knows_changes().
  std::uint64_t BeginCutOfChanges();

  /// Keys that went between the last two marks: had a row, or may have had one, and have none now.
  /// Needs that these were known at the last mark. Stays until the next one.
  const absl::btree_set<Key>& gone() const { return changes_before_->gone(); }

  /// Calls visit(RowView) for the rows of the cut at the next `places` places. Whether there are
  /// more places.
  template <typename Visit>
  bool VisitCut(std::uint32_t places, Visit&& visit) {
    return cut_->VisitNext(store_, places, [&](const std::byte* row, bool is_tail) {
      visit(ViewOf(row, is_tail, cut_newest_step_));
    });
  }

  void EndCut() {
    cut_.reset();
    Watch();
  }

  /// Bytes of rows kept for a cut: now, and since it began. 0 without one.
  std::uint64_t cut_kept_bytes() const { return cut_ == nullptr ? 0 : cut_->kept_bytes(); }
  std::uint64_t cut_copied_bytes() const { return cut_ == nullptr ? 0 : cut_->copied_bytes(); }

  /// The row of a key, if it has one. The view holds until the next call.
  bool Find(Key key, RowView* view) const;

  /// Writes a row whole, over the one of its key if there is one. Values that its format does not
  /// have are rounded as a push rounds them; those of a RowView are kept as they are. The budget is
  /// not asked.
  ///
  /// Errors: InvalidArgument if row.values is not value_count() long, or has an infinity or a NaN
  ///         and its format has none; ResourceExhausted if there are rows_max rows. Nothing is
  ///         changed then.
  absl::Status Import(const RowView& row);

  /// Asks memory for the line of the index where Import will look for that key.
  void ExpectKey(Key key) const { index_.Prefetch(Mix64(key)); }

  /// Removes the row of a key; false if there is none.
  bool Erase(Key key);

 private:
  using PullsByBucket = decltype(TableStatistics::pulls_by_bucket);

  // The arguments of a Push.
  struct Batch {
    std::span<const Key> keys;
    std::span<const std::uint32_t> counts;
    std::span<const float> gradients;
    std::uint32_t step;
  };

  // A row on its way through a push.
  struct Place {
    std::uint32_t row = RowIndex::kNone;  // kNone: has no row yet.
    std::uint64_t hash = 0;
    bool is_tail = false;  // Whether it will be in the tail.
  };

  template <bool kPlain>
  auto& Rows();
  template <std::size_t kDim, bool kPlain>
  void PullDim(std::span<const Key> keys, const RowTarget& target);
  template <std::size_t kDim, bool kPlain, typename Rule>
  PushResult PushRule(const Rule& rule, const Batch& batch);
  bool BelongsInTail(std::uint64_t hash, std::uint32_t count) const;
  bool SharesWeights(std::uint64_t hash, std::uint32_t row) const;
  void StartWeights(Key key, std::uint64_t hash, float* weights) const;
  template <typename Rule>
  void PushShared(const Rule& rule, const Batch& batch, std::size_t i, const Place& place,
                  std::uint32_t count, PushResult& result);
  void LoadInitial(Key key, std::uint64_t hash, bool is_tail);
  void Load(Key key, const Place& place);
  template <typename Rule>
  void ApplyCoded(const Rule& rule, bool is_tail, const float* gradient, const RowFrequency& seen);
  std::uint32_t Settle(Key key, const Place& place);
  void Remove(std::uint32_t row, std::uint64_t hash);
  void Touch(std::byte* header, std::uint32_t count, std::uint32_t step);
  std::size_t FiniteCount(bool is_tail) const;
  void BeforeChange(std::uint32_t row) {
    if (is_watched_) [[unlikely]]
      NoteChange(row);
  }
  void NoteChange(std::uint32_t row);
  void Watch() { is_watched_ = cut_ != nullptr || changes_ != nullptr; }
  RowView ViewOf(std::uint32_t row) const;
  RowView ViewOf(const std::byte* row, bool is_tail, std::uint32_t newest_step) const;

  std::uint32_t IdleOf(std::uint32_t row, std::uint32_t step) const;
  bool Moves(const Place& place) const;        // Whether it needs a row number that it has not.
  bool FitsBudget(const Place& place) const;   // As it is now.
  bool MayHaveRoom(const Place& place) const;  // Perhaps at the price of other rows.
  bool MakeRoom(const Place& place);
  bool EvictNear(std::uint64_t hash, std::uint32_t kept);
  void Sweep(std::uint64_t from, std::uint64_t to, std::uint32_t step);
  std::optional<EvictionReason> ReasonToEvict(std::uint32_t row, std::uint32_t step);
  void NoteEviction(std::uint32_t row, EvictionReason reason, std::uint32_t step);

  TableSpec spec_;
  RowLayout layout_;
  BackoffKeys backoff_;
  Initializer initializer_;
  RowStore store_;
  RowIndex index_;
  std::unique_ptr<RowCut> cut_;                 // Null: none is under way.
  std::unique_ptr<RowChanges> changes_;         // Since the last mark; null: there is none.
  std::unique_ptr<RowChanges> changes_before_;  // Up to that, since the one before.
  bool is_watched_ = false;                     // One of cut_ and changes_ is there.
  std::uint32_t cut_newest_step_ = 0;
  std::vector<float> values_;           // [value_count], the row that a push moves.
  std::vector<float> scratch_;          // [dim], a gradient on its way to the rule.
  mutable std::vector<float> view_;     // [value_count], a RowView that is not plain.
  bool is_plain_;                       // One format, fp32, and no row is removed by a push.
  std::vector<std::uint32_t> evicted_;  // Rows that a sweep found.
  EvictionLog eviction_log_;
  std::uint32_t newest_step_ = 0;
  std::uint64_t steps_ended_ = 0;
  std::uint64_t removals_ = 0;  // Row numbers looked up before one of these may mean other rows.
  DistinctKeys distinct_;       // Fed with keys that have no row: the others were that once.
  UseSampler uses_;
  TableStatistics done_;  // What was done; rows and bytes are counted when asked for.
};

}  // namespace longtail::sparse
