// Rows that a worker keeps for some steps, so that those asked for again and again are fetched once
// in a while and not in each step; see WorkerOptions::row_cache_bytes.
//
//   index    [slots] | the key's hash, its high half 32 | 1 + the record's place 32 |   0: empty
//   records  in the order in which they came (record_ring.h):
//            | key 8 | stamp 8 | lag 4 | count 4 | table 2 | dim 2 | flags 4 | row 4 * dim |
//
// Data are long-tailed: most keys of a batch are seen once and would, each for its own row, put out
// one that every batch asks for. So a new row has to earn its place. How often keys were asked for
// of late is known for all of them, kept or not (frequency_sketch.h), and when memory is full a row
// comes in only if it was asked for more often than the one that would leave: the one that came
// first, which otherwise becomes the newest. Between two alike, the one that may not be served any
// more leaves. Those seen once thus drive out one another at most.
//
// Promises: no row older than the bound is served; no more memory than was given; all of it is
// taken at the start. Deterministic.
// Threads: not thread-safe; the owner locks.
//
// Source: Einziger, Friedman, Manes, "TinyLFU: A Highly Efficient Cache Admission Policy", ACM
//         Transactions on Storage 2017.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "longtail/ids.h"
#include "worker/frequency_sketch.h"
#include "worker/record_ring.h"

namespace longtail {

class RowCache {
 public:
  struct Options {
    std::size_t bytes = 0;    ///< At least kRowCacheBytesMin, at most kRowCacheBytesMax.
    std::uint64_t steps = 0;  ///< A row is served to pulls of its own step and of so many later.
  };

  /// When a pull was made: in which step, and after which others of that step. Later is higher.
  enum class Stamp : std::uint64_t {};

  /// Different keys of one table.
  struct Keys {
    TableId table{};
    std::uint32_t dim = 0;
    std::span<const Key> keys;  ///< [n]
  };

  explicit RowCache(const Options& options);

  /// A pull is made in a step, which is none before that of an earlier pull.
  Stamp BeginPull(std::uint64_t step);

  /// Copies the rows (and their counts) that may be served to `pull` and appends the places in
  /// keys of all others to `missed`, ascending. What is asked for with counts is served only if it
  /// came with one. Gives how many steps all rows served had applied; the highest number if there
  /// are none.
  ///
  /// Shapes: rows [n, dim]; counts [n] or empty.
  /// Cost:   two cache misses a key and the copy; no allocation but of `missed`.
  std::uint64_t Find(const Keys& of, Stamp pull, std::span<float> rows,
                     std::span<std::uint32_t> counts, std::vector<std::uint32_t>& missed);

  /// Takes rows that were answered to `pull`, with so many steps applied. A row that was asked for
  /// later is left as it is, and so late an answer that it may not be served is not taken.
  ///
  /// Shapes: rows [n, dim]; counts [n] or empty.
  /// Cost:   as Find, and the copy of one other row at most for each that is new.
  void Put(const Keys& of, Stamp pull, std::uint64_t applied, std::span<const float> rows,
           std::span<const std::uint32_t> counts);

  std::uint64_t served() const { return served_; }    ///< Rows that Find gave,
  std::uint64_t missed() const { return missed_; }    ///< and did not give.
  std::uint64_t evicted() const { return evicted_; }  ///< Rows that left for others.

  /// Rows, what describes them, the index and the counts of use.
  std::size_t bytes() const;

 private:
  struct Record;  // What stands before a row.

  static constexpr std::size_t kNone = ~std::size_t{0};

  Record Read(std::size_t place) const;
  void Write(std::size_t place, const Record& record, const float* row);
  bool IsServed(const Record& record, std::uint64_t step) const;
  std::size_t HomeOf(std::uint64_t slot) const;  // Of what stands in a slot.
  std::size_t After(std::size_t slot) const { return slot + 1 == slots_.size() ? 0 : slot + 1; }
  std::size_t PlaceIn(std::size_t slot) const;
  std::size_t FindSlot(std::uint64_t hash, TableId table, Key key) const;
  void FillSlot(std::uint64_t hash, std::size_t place);
  void ClearSlot(std::size_t slot);
  bool MakeRoom(std::size_t words, std::uint32_t frequency);
  void Renew(const Record& record, std::size_t slot);

  const Options options_;
  FrequencySketch sketch_;
  std::vector<std::uint64_t> slots_;
  RecordRing ring_;
  std::vector<std::uint64_t> moved_;  // Renew's own.
  Stamp newest_{};                    // The last that BeginPull gave.
  std::uint64_t served_ = 0;
  std::uint64_t missed_ = 0;
  std::uint64_t evicted_ = 0;
};

}  // namespace longtail
