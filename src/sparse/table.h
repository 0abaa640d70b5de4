// The rows of one table in one partition.
//
// A Table is plain state: the same calls in the same order leave the same bytes, on any machine.
// It opens nothing, reads no clock and draws no random number.
//
// Thread: one owner.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "longtail/ids.h"
#include "longtail/statistics.h"
#include "longtail/table_spec.h"
#include "sparse/initializer.h"
#include "sparse/row_index.h"
#include "sparse/row_layout.h"
#include "sparse/slabs.h"

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
  std::uint64_t refused_non_finite = 0;  ///< Keys whose gradient had an infinity or a NaN.
  std::uint64_t refused_full = 0;        ///< Keys without a row, of which the table has no more.
};

/// All that a row is.
struct RowView {
  Key key = 0;
  std::uint32_t count = 0;
  std::uint32_t last_step = 0;
  std::span<const float> values;  ///< [value_count]: weights, then optimizer state.
};

class Table {
 public:
  /// For up to rows_max rows. Needs a spec that Validate accepts, rows_max <= Slabs::kRowsMax.
  explicit Table(const TableSpec& spec, std::uint32_t rows_max = Slabs::kRowsMax);

  const TableSpec& spec() const { return spec_; }
  std::uint32_t dim() const { return layout_.dim; }

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
  /// row gets one, from its initial value, unless there are rows_max. A row's count grows up
  /// to 2^32 - 1 and stays there; its last step becomes `step`. Both are kept as
  /// sparse/row_header.h says: counts from 2^23 on in units of 512, steps within 2^24 of the
  /// newest. A gradient with an infinity or a NaN is refused whole: it creates and changes nothing.
  /// The rule's learning rate is multiplied by learning_rate_scale, for a schedule.
  ///
  /// Shapes: keys [n], a repeated one is applied once for each; counts [n]; gradients [n, dim],
  ///         row-major. Wrong shapes are a bug in the caller and abort.
  /// Cost:   two cache misses a row, overlapped; no allocation unless rows are created.
  PushResult Push(std::span<const Key> keys, std::span<const std::uint32_t> counts,
                  std::span<const float> gradients, std::uint32_t step, float learning_rate_scale);

  /// Whether the index is being grown: searches cost more until pulls and pushes have moved it on.
  bool is_growing() const { return index_.is_growing(); }

  /// Counts, bytes, histogram and hash.
  ///
  /// Cost: reads every row.
  TableStatistics Statistics() const;

  /// A hash of all rows' keys, counts, last steps, weights and states. Independent of their order;
  /// the sum (mod 2^64) over the partitions of a table does not depend on how many there are.
  ///
  /// Cost: reads every row.
  std::uint64_t ContentHash() const;

  /// One more than the highest row number in use: ranges of row numbers cut a table into chunks.
  std::uint32_t row_number_end() const { return slabs_.end(); }

  /// Calls visit(RowView) for the rows numbered first to last - 1, in the order of their numbers.
  /// The view holds during the call.
  template <typename Visit>
  void ForEachRow(std::uint32_t first, std::uint32_t last, Visit&& visit) const {
    last = last < slabs_.end() ? last : slabs_.end();
    for (std::uint32_t row = first; row < last; ++row) {
      if (slabs_.IsTaken(row)) visit(ViewOf(row));
    }
  }

  /// Calls visit(RowView) for every row.
  template <typename Visit>
  void ForEachRow(Visit&& visit) const {
    ForEachRow(0, slabs_.end(), visit);
  }

  /// The row of a key, if it has one. The view holds until the next call that changes the table.
  bool Find(Key key, RowView* view) const;

  /// Writes a row whole, over the one of its key if there is one.
  ///
  /// Errors: InvalidArgument if row.values is not value_count() long; ResourceExhausted if there
  ///         are rows_max rows. Nothing is changed then.
  absl::Status Import(const RowView& row);

  /// Removes the row of a key; false if there is none.
  bool Erase(Key key);

 private:
  // The arguments of a Push.
  struct Batch {
    std::span<const Key> keys;
    std::span<const std::uint32_t> counts;
    std::span<const float> gradients;
    std::uint32_t step;
  };

  RowView ViewOf(std::uint32_t row) const;
  std::uint32_t Create(Key key, std::uint64_t hash);
  std::uint32_t CreateInitial(Key key, std::uint64_t hash);
  void Touch(std::uint32_t row, std::uint32_t count, std::uint32_t step);
  template <std::size_t kDim>
  void PullDim(std::span<const Key> keys, const RowTarget& target);
  template <std::size_t kDim, typename Rule>
  PushResult PushRule(const Rule& rule, const Batch& batch);

  TableSpec spec_;
  RowLayout layout_;
  Initializer initializer_;
  Slabs slabs_;
  RowIndex index_;
  std::vector<float> scratch_;  // [dim], a gradient on its way to the rule.
  std::uint32_t newest_step_ = 0;
  std::uint64_t pulls_ = 0;
  std::uint64_t pushes_ = 0;
  std::uint64_t rows_created_ = 0;
  std::uint64_t non_finite_refused_ = 0;
  std::uint64_t full_refused_ = 0;
};

}  // namespace longtail::sparse
