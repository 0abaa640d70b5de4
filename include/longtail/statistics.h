// What is counted: what a table holds and has done, for one partition of it or for the sum of many;
// how old the rows were that a worker pulled.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace longtail {

struct TableStatistics {
  std::uint64_t rows = 0;
  std::uint64_t weight_bytes = 0;  ///< Weights of the rows there are.
  std::uint64_t state_bytes = 0;   ///< Their optimizer state.
  std::uint64_t header_bytes = 0;  ///< Their keys, counts and last steps.
  std::uint64_t index_bytes = 0;   ///< The index from keys to rows.
  std::uint64_t free_bytes = 0;    ///< Reserved and unused: padding, erased and future rows.
  std::uint64_t tail_rows = 0;     ///< Of the rows, those kept in the tail's format.

  std::uint64_t pulls = 0;               ///< Keys pulled, found or not.
  std::uint64_t pushes = 0;              ///< Keys pushed, refused ones included.
  std::uint64_t rows_created = 0;        ///< Rows that a push created.
  std::uint64_t non_finite_refused = 0;  ///< Keys pushed with a gradient that was not finite, or
                                         ///< that would have made their row so.
  std::uint64_t full_refused = 0;        ///< New keys pushed to a partition without room: in its
                                         ///< budget, or for more than 2^26 - 1 rows.
  std::uint64_t shared_pushes = 0;       ///< Keys pushed below admission: a back-off row moved.
  std::uint64_t rows_promoted = 0;       ///< Rows that left the tail's format for the table's.
  std::uint64_t evicted_idle = 0;        ///< Rows evicted, each by the first reason that held: not
                                         ///< pushed for EvictionSpec::idle_steps,
  std::uint64_t evicted_score = 0;       ///< a score below min_score,
  std::uint64_t evicted_norm = 0;        ///< weights shorter than min_norm,
  std::uint64_t evicted_budget = 0;      ///< the lowest score among neighbours, for a new row.

  /// How many rows were trained how often, (count, rows), ascending by count, no zero rows: the
  /// exact rank-frequency distribution of the rows.
  std::vector<std::pair<std::uint32_t, std::uint64_t>> rows_by_count;

  /// A hash of all that the rows hold. Independent of their order and of how the keys are divided
  /// into partitions.
  std::uint64_t hash = 0;

  /// All bytes above.
  std::uint64_t bytes() const {
    return weight_bytes + state_bytes + header_bytes + index_bytes + free_bytes;
  }

  /// Adds what another partition of the same table holds and has done.
  TableStatistics& operator+=(const TableStatistics& other);

  bool operator==(const TableStatistics&) const = default;
};

struct WorkerStatistics {
  static constexpr std::size_t kStalenessBuckets = 32;

  /// Pulls answered, by staleness: how many steps before the one the rows are used in
  /// (CallOptions::steps_ahead) may have updates that the rows lack. The last bucket counts all
  /// that are in none of the others. Nothing is counted in asynchronous mode, where nobody tells
  /// that a step ended.
  std::array<std::uint64_t, kStalenessBuckets> pulls_by_staleness{};

  WorkerStatistics& operator+=(const WorkerStatistics& other) {
    for (std::size_t i = 0; i < kStalenessBuckets; ++i) {
      pulls_by_staleness[i] += other.pulls_by_staleness[i];
    }
    return *this;
  }

  bool operator==(const WorkerStatistics&) const = default;
};

}  // namespace longtail
