// The rows of one count table in one partition.
//
// As sparse/table.h it is plain state: the same calls in the same order leave the same rows, on any
// machine. A row is a sum, so pushes in any other order leave them, too, unless a count would have
// left 64 bits. No row goes: one whose counts are all zero again stays, empty.
//
// Thread: one owner.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/container/btree_set.h"
#include "absl/status/status.h"
#include "base/count_row.h"
#include "longtail/ids.h"
#include "longtail/statistics.h"
#include "longtail/table_spec.h"
#include "sparse/count_cut.h"
#include "sparse/count_store.h"
#include "sparse/distinct_keys.h"
#include "sparse/row_changes.h"
#include "sparse/row_index.h"
#include "sparse/table.h"
#include "sparse/use_sampler.h"

namespace longtail::sparse {

/// A row with its key, packed (base/count_row.h).
struct CountRowView {
  Key key = 0;
  std::span<const std::byte> packed;
};

/// What a push did beyond adding.
struct CountPushResult {
  std::uint64_t created = 0;           ///< Rows that did not exist.
  std::uint64_t refused_overflow = 0;  ///< Keys one of whose counts would have left 64 bits.
  std::uint64_t refused_full = 0;      ///< Keys without a row, of which the table has no more.
};

class CountTable {
 public:
  /// For up to rows_max rows. Needs a spec of a count table that Validate accepts.
  explicit CountTable(const TableSpec& spec, std::uint32_t rows_max = Slabs::kRowsMax);

  const TableSpec& spec() const { return spec_; }
  std::uint32_t dim() const { return spec_.dim; }

  /// As Table has it: a row has no floats.
  static constexpr std::size_t value_count() { return 0; }

  std::uint64_t row_count() const { return index_.size(); }

  /// Appends the row of each key as a sized row; one without a row has an empty one.
  ///
  /// Cost: three cache misses a row, overlapped, and the copy.
  void Pull(std::span<const Key> keys, std::string& rows);

  /// Adds changes, as many sized rows as keys. A key without a row gets one, unless its change is
  /// empty. Of a key whose changes would take a count out of 64 bits nothing is added.
  ///
  /// Needs `changes` in which WrongSizedRows finds nothing.
  /// Cost:  unpacks and packs the rows: some nanoseconds an entry, and a column if one is dense.
  CountPushResult Push(std::span<const Key> keys, std::span<const std::byte> changes);

  /// The row of a key, valid until it changes; an empty one if there is none.
  std::span<const std::byte> Find(Key key) const;

  /// Writes a row whole, over the one of its key if there is one.
  ///
  /// Errors: InvalidArgument if its bytes are no row of the table; ResourceExhausted if there are
  ///         rows_max rows. Nothing is changed then.
  absl::Status Import(const CountRowView& row);

  // Steps, cuts, changes and statistics as sparse/table.h has them.

  void EndSteps(std::uint64_t step) { steps_ended_ = std::max(steps_ended_, step); }
  void BeginAtStep(std::uint64_t step) { steps_ended_ = step; }
  static constexpr std::uint32_t newest_step() { return 0; }
  std::uint64_t steps_ended() const { return steps_ended_; }
  void RestoreSteps(std::uint32_t, std::uint64_t ended) { steps_ended_ = ended; }

  TableStatistics Statistics() const;
  TableStatistics Counts() const;
  std::uint64_t ContentHash() const;

  std::uint32_t place_end() const { return store_.records().place_end(); }

  /// Calls visit(CountRowView) for every row, in the order of places.
  template <typename Visit>
  void ForEachRow(Visit&& visit) const {
    store_.records().ForEach(0, place_end(), [&](std::uint32_t row) {
      visit(CountRowView{.key = store_.KeyOf(row), .packed = store_.BytesOf(row)});
    });
  }

  /// Calls visit(count) for the rows at places first to last - 1: the sum of each one's counts, 0
  /// or 2^32 - 1 if it is beyond, which stands where other rows have their training count.
  ///
  /// Cost: unpacks the rows.
  template <typename Visit>
  void ForEachCount(std::uint32_t first, std::uint32_t last, Visit&& visit) const {
    store_.records().ForEach(
        first, last, [&](std::uint32_t row) { visit(CountRowTotal(store_.BytesOf(row), dim())); });
  }

  std::uint64_t BeginCut();
  void MarkChanges();
  void KeepChanges(ChangesSince since);
  bool knows_changes() const { return changes_ != nullptr && changes_->is_whole(); }
  std::uint64_t BeginCutOfChanges();
  const absl::btree_set<Key>& gone() const { return gone_; }

  /// Calls visit(CountRowView) for the rows of the cut at the next `places` places, until it has
  /// visited `bytes_max` bytes. Whether there are more places.
  template <typename Visit>
  bool VisitCut(std::uint32_t places, std::uint64_t bytes_max, Visit&& visit) {
    return cut_->VisitNext(store_, places, bytes_max,
                           [&](Key key, std::span<const std::byte> packed) {
                             visit(CountRowView{.key = key, .packed = packed});
                           });
  }
  void EndCut() { cut_.reset(); }
  std::uint64_t cut_kept_bytes() const { return cut_ == nullptr ? 0 : cut_->kept_bytes(); }
  std::uint64_t cut_copied_bytes() const { return cut_ == nullptr ? 0 : cut_->copied_bytes(); }

 private:
  std::uint32_t Create(Key key, std::uint64_t hash);
  void Write(std::uint32_t row, std::span<const std::byte> packed);
  void Add(Key key, std::uint64_t hash, std::span<const std::byte> change, CountPushResult& result);

  TableSpec spec_;
  CountStore store_;
  RowIndex index_;
  std::unique_ptr<CountCut> cut_;               // Null: none is under way.
  std::unique_ptr<RowChanges> changes_;         // Since the last mark; null: there is none.
  std::unique_ptr<RowChanges> changes_before_;  // Up to that, since the one before.
  const absl::btree_set<Key> gone_;             // No key goes.
  std::uint64_t steps_ended_ = 0;
  std::vector<CountEntry> entries_;  // Of the row that a push moves,
  std::vector<CountEntry> change_;   // of what is added to it,
  std::vector<CountEntry> sums_;     // and of what comes of it,
  std::string packed_;               // packed.
  DistinctKeys distinct_;            // Fed with keys that have no row: the others were that once.
  UseSampler uses_;
  TableStatistics done_;  // What was done; rows and bytes are counted when asked for.
};

}  // namespace longtail::sparse
