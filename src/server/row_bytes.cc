#include "server/row_bytes.h"

#include <algorithm>

#include "base/check.h"
#include "sparse/index_line.h"
#include "sparse/row_header.h"
#include "sparse/row_layout.h"
#include "sparse/slabs.h"

namespace longtail::server {
namespace {

constexpr double kLineBytes = sizeof(sparse::IndexLine);
constexpr double kSlots = sparse::IndexLine::kSlots;
// Growth, as sparse/row_index.h has it: nine tenths full, then a quarter more lines.
constexpr double kFullest = 0.9;
constexpr double kGrowth = 1.25;
// Counters, sketches of distinct and of hot keys, the first slab's tables: docs/ENGINE.md,
// "Statistics of use", and what an empty table was measured to take.
constexpr double kFixedBytes = 5000;
// While an index grows, what it grows from is given back line by line: a growth takes as many rows
// as that has lines, of the 3.375 times as many between two growths, and half of it is there.
constexpr double kGrowing = 1 / 3.375 / 2 / kGrowth;

// The lines of an index that has come to hold so many rows, one after the other.
double LinesFor(double rows) {
  double lines = 1;
  while (rows > lines * kSlots * kFullest)
    lines += std::max(static_cast<double>(static_cast<std::uint64_t>(lines) / 4), 1.0);
  return lines;
}

}  // namespace

RowBytes BytesOfRow(const TableSpec& spec, bool is_tail) {
  const sparse::RowLayout layout(spec);
  const sparse::RowCodec& codec = layout.codec(is_tail && layout.has_tail());
  RowBytes bytes;
  bytes.floats = static_cast<std::uint32_t>(layout.value_count());
  bytes.header = sparse::kRowHeaderBytes;
  bytes.weights = codec.weight_bytes();
  bytes.state = codec.state_bytes();
  bytes.index_max = kLineBytes / kSlots / (kFullest / kGrowth);
  // The mean of 1 / fill, where rows come evenly from one growth to the next.
  bytes.index = (bytes.index_max + kLineBytes / kSlots / kFullest) / 2;
  bytes.taken = 1.0 / 8;
  return bytes;
}

TableBytes BytesOfTable(const TableSpec& spec, std::uint64_t rows, std::uint64_t tail_rows,
                        std::uint32_t partitions) {
  LONGTAIL_CHECK(partitions > 0);
  const double count = partitions;
  TableBytes bytes;
  for (const bool is_tail : {false, true}) {
    const RowBytes row = BytesOfRow(spec, is_tail);
    const auto there = static_cast<double>(is_tail ? tail_rows : rows);
    const double stored = there * (static_cast<double>(row.header) + row.values());
    bytes.rows += stored + there * row.taken;
    const auto in_partition = static_cast<std::uint64_t>(there / count);
    const auto values = static_cast<std::size_t>(row.weights + row.state);
    bytes.pages += std::max(
        count * static_cast<double>(sparse::Slabs::BytesOf(values, in_partition)) - stored, 0.0);
  }
  const double each = static_cast<double>(rows + tail_rows) / count;
  const double index = LinesFor(each) * kLineBytes;
  bytes.index = count * index;
  bytes.pages += bytes.index * kGrowing;
  bytes.fixed = count * kFixedBytes;
  return bytes;
}

}  // namespace longtail::server
