// One row of a count table as it is kept, sent and stored: packed.
//
// A row of no count but zeros has no bytes. Any other begins with its form:
//
//   | 0 | gap, count | gap, count | …    sparse: columns that are not zero, ascending
//   | w | count of column 0 | 1 | … |    dense: w = 1, 2, 4 or 8 bytes for each column
//
// A gap is the number of columns since the one before (or since the first) that are left out; gap
// and count are varints, a count zigzag (base/varint.h). The form is the one with fewer bytes, of
// equal ones the dense, with the least w that holds all counts. So equal rows have equal bytes, and
// a reader refuses all others.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/limits.h"
#include "base/varint.h"

namespace longtail {

/// The most bytes that a row can have.
inline constexpr std::size_t kCountRowBytesMax =
    1 + std::size_t{kCountColumnsMax} * sizeof(std::int64_t);

/// A count that is not zero.
struct CountEntry {
  std::uint32_t column = 0;
  std::int64_t count = 0;

  bool operator==(const CountEntry&) const = default;
};

/// Bytes that each count of a dense row has, if this is the one that needs most.
constexpr std::size_t CountWidth(std::int64_t count) {
  const auto fits = [count](auto least, auto most) { return least <= count && count <= most; };
  if (fits(std::numeric_limits<std::int8_t>::min(), std::numeric_limits<std::int8_t>::max()))
    return 1;
  if (fits(std::numeric_limits<std::int16_t>::min(), std::numeric_limits<std::int16_t>::max()))
    return 2;
  if (fits(std::numeric_limits<std::int32_t>::min(), std::numeric_limits<std::int32_t>::max()))
    return 4;
  return 8;
}

/// Appends a row.
///
/// Needs columns that ascend and are below dim, counts that are not 0, 1 <= dim <=
/// kCountColumnsMax.
/// Cost: two passes over entries, one over dim if the row is dense.
void AppendCountRow(std::span<const CountEntry> entries, std::uint32_t dim, std::string& out);

namespace count_row {

// What a row's other form would take, to know whether it is in the right one.
class FormCheck {
 public:
  void Add(std::uint64_t gap, std::int64_t count) {
    sparse_bytes_ += VarintBytes(gap) + VarintBytes(ZigZag(static_cast<std::uint64_t>(count)));
    const std::size_t width = CountWidth(count);
    if (width > width_) width_ = width;
  }
  std::size_t width() const { return width_; }
  bool IsDense(std::uint32_t dim) const { return width_ * dim <= sparse_bytes_; }
  std::size_t sparse_bytes() const { return sparse_bytes_; }

 private:
  std::size_t sparse_bytes_ = 0;
  std::size_t width_ = 1;
};

template <typename T, typename Visit>
const char* VisitDense(std::span<const std::byte> bytes, std::uint32_t dim, Visit&& visit) {
  if (bytes.size() != dim * sizeof(T)) return "a dense row that has not a count for each column";
  FormCheck form;
  std::uint32_t begin = 0;
  for (std::uint32_t column = 0; column < dim; ++column) {
    T count = 0;
    std::memcpy(&count, bytes.data() + column * sizeof(T), sizeof(T));
    if (count == 0) continue;
    form.Add(column - begin, count);
    begin = column + 1;
    visit(column, std::int64_t{count});
  }
  if (!form.IsDense(dim)) return "a dense row that is smaller as a sparse one";
  return form.width() == sizeof(T) ? nullptr : "a dense row in more bytes than it needs";
}

template <typename Visit>
const char* VisitSparse(std::span<const std::byte> bytes, std::uint32_t dim, Visit&& visit) {
  FormCheck form;
  std::uint64_t column = 0;
  while (!bytes.empty()) {
    std::uint64_t gap = 0;
    std::uint64_t zigzag = 0;
    if (!TakeVarint(bytes, kCountColumnsMax, gap)) return "a gap that is no number";
    column += gap;
    if (column >= dim) return "a column that is not below the table's dim";
    if (!TakeVarint(bytes, std::numeric_limits<std::uint64_t>::max(), zigzag)) {
      return "a count that is no number";
    }
    if (zigzag == 0) return "a count of 0";
    const auto count = static_cast<std::int64_t>(UnZigZag(zigzag));
    form.Add(gap, count);
    visit(static_cast<std::uint32_t>(column), count);
    ++column;
  }
  if (form.sparse_bytes() == 0) return "a sparse row without a count";
  return form.IsDense(dim) ? "a sparse row that is no larger as a dense one" : nullptr;
}

}  // namespace count_row

/// Calls visit(column, count) for each count that is not zero, by ascending column. Null, or what
/// is wrong with the bytes, which nobody needs to vouch for: then some may have been visited.
///
/// Cost: one pass over the bytes.
template <typename Visit>
const char* VisitCountRow(std::span<const std::byte> packed, std::uint32_t dim, Visit&& visit) {
  if (packed.empty()) return nullptr;
  const std::span<const std::byte> bytes = packed.subspan(1);
  switch (std::to_integer<unsigned>(packed[0])) {
    case 0:
      return count_row::VisitSparse(bytes, dim, visit);
    case 1:
      return count_row::VisitDense<std::int8_t>(bytes, dim, visit);
    case 2:
      return count_row::VisitDense<std::int16_t>(bytes, dim, visit);
    case 4:
      return count_row::VisitDense<std::int32_t>(bytes, dim, visit);
    case 8:
      return count_row::VisitDense<std::int64_t>(bytes, dim, visit);
    default:
      return "a form that is none";
  }
}

/// Appends the size of a packed row as a varint, and the row: how rows follow one another in a
/// message.
void AppendSizedRow(std::span<const std::byte> packed, std::string& out);

/// Takes such a row from the front of `bytes`; false, with `bytes` as they were, if it is cut short
/// or larger than any row.
[[nodiscard]] bool TakeSizedRow(std::span<const std::byte>& bytes,
                                std::span<const std::byte>& packed);

/// What is wrong with `bytes` as so many sized rows of a table, and nothing behind them; or
/// nothing.
///
/// Cost: one pass over the bytes; no allocation.
std::optional<std::string> WrongSizedRows(std::span<const std::byte> bytes, std::size_t rows,
                                          std::uint32_t dim);

/// The sum of a row's counts, 0 or 2^32 - 1 if it is beyond: what stands for a training count.
class CountTotal {
 public:
  void Add(std::int64_t count) { sum_ += count; }
  std::uint32_t value() const {
    constexpr std::uint32_t kMost = std::numeric_limits<std::uint32_t>::max();
    return static_cast<std::uint32_t>(sum_ < 0 ? 0 : sum_ > kMost ? kMost : sum_);
  }

 private:
  __int128 sum_ = 0;
};
std::uint32_t CountRowTotal(std::span<const std::byte> packed, std::uint32_t dim);

/// a + b into `sum`; false if that is more or less than 64 bits hold.
[[nodiscard]] inline bool AddCounts(std::int64_t a, std::int64_t b, std::int64_t& sum) {
  return !__builtin_add_overflow(a, b, &sum);
}

/// The sums of two rows' counts, without those that are zero, in place of what `sums` held. False
/// if one is beyond 64 bits: then `sums` has no meaning.
///
/// Cost: one pass over both.
[[nodiscard]] bool MergeCounts(std::span<const CountEntry> a, std::span<const CountEntry> b,
                               std::vector<CountEntry>& sums);

}  // namespace longtail
