// Splits a line into its cells.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "examples/common/data/line_problem.h"
#include "examples/common/data/schema.h"

namespace longtail::examples {

struct Cell {
  std::string_view text;     ///< Without quotes.
  std::uint32_t offset = 0;  ///< Where the cell begins in the line, in bytes, with its quote.
};

/// Splits at a separator of one or more bytes. With quotes (csv), a cell that begins with '"' ends
/// at the next lone '"', and '""' inside it is one '"'; a line break inside quotes is refused. A
/// '"' elsewhere is a byte like any other.
class CellSplitter {
 public:
  CellSplitter(std::string separator, Quotes quotes);

  /// Sets `cells`, valid as long as `line` and until the next call. Returns false, and says why in
  /// `problem`, if a quote is not closed or text follows it.
  ///
  /// Cost: one pass; no allocation once warm.
  bool Split(std::string_view line, std::vector<Cell>& cells, LineProblem& problem);

 private:
  std::size_t Find(std::string_view line, std::size_t from) const;
  bool TakeQuoted(std::string_view line, std::size_t& position, Cell& cell, LineProblem& problem);

  const std::string separator_;
  const Quotes quotes_;
  std::string unescaped_;  // Cells that had '""' in them; reserved per line, so never moved.
};

}  // namespace longtail::examples
