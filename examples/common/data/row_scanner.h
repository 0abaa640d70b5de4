// The rows of one text table, as cells.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "examples/common/data/byte_source.h"
#include "examples/common/data/cell_splitter.h"
#include "examples/common/data/line_problem.h"
#include "examples/common/data/line_reader.h"
#include "examples/common/data/schema.h"

namespace longtail::examples {

/// Reads the header of a table, then its lines. Empty lines are passed over.
class RowScanner {
 public:
  /// Errors: what `opener` says; InvalidArgument if there is no header where one is wanted, or it
  /// names a column twice.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<RowScanner>> Open(const FileOpener& opener,
                                                                        const std::string& path,
                                                                        const TableFormat& table);

  /// Sets `line`, valid until the next call, and returns true; false at the end.
  [[nodiscard]] absl::StatusOr<bool> Next(std::string_view& line);

  /// Splits a line that Next gave. False, with the reason in `problem`, if it has not one cell for
  /// each column.
  bool Split(std::string_view line, std::vector<Cell>& cells, LineProblem& problem);

  /// The place of the column `name`, if there is one.
  std::optional<std::size_t> FindColumn(std::string_view name) const;

  /// InvalidArgument that there is no column `name`, what it is wanted for, and which there are.
  absl::Status NoColumnError(std::string_view name, std::string_view purpose) const;

  const std::string& name() const { return lines_.name(); }
  std::uint64_t line_number() const { return lines_.line_number(); }

 private:
  RowScanner(const TableFormat& table, LineReader lines);
  absl::Status ReadHeader();

  const TableFormat table_;
  LineReader lines_;
  CellSplitter splitter_;
  std::vector<std::string> columns_;
};

}  // namespace longtail::examples
