// Turns the lines of one file into examples.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "examples/common/data/batch_writer.h"
#include "examples/common/data/byte_source.h"
#include "examples/common/data/joined_features.h"
#include "examples/common/data/line_problem.h"
#include "examples/common/data/schema.h"

namespace longtail::examples {

/// One file of a split, line by line. After Next has returned true, Match and then Fill may be
/// called once each.
class RowParser {
 public:
  virtual ~RowParser() = default;

  /// Goes to the next line that is not empty; false at the end. Lines are not looked into, so this
  /// is also the way to pass over them.
  [[nodiscard]] virtual absl::StatusOr<bool> Next() = 0;

  /// Sets `passes` to whether the line passes the conditions of the split. Returns false, with the
  /// reason in `problem`, if that cannot be said.
  virtual bool Match(bool& passes, LineProblem& problem) = 0;

  /// Writes one whole example. Returns false, with the reason in `problem`, if the line is bad;
  /// the caller then aborts the example.
  virtual bool Fill(BatchWriter& writer, LineProblem& problem) = 0;

  virtual const std::string& name() const = 0;
  virtual std::uint64_t line_number() const = 0;
};

/// Opens `path` as a table. `schema`, `split` and `joined` must outlive the parser.
///
/// Errors: as RowScanner::Open; InvalidArgument if a column that is used is not there, or is also
/// added by a join.
[[nodiscard]] absl::StatusOr<std::unique_ptr<RowParser>> OpenTableParser(
    const FileOpener& opener, const std::string& path, const Schema& schema, const SplitSpec& split,
    const JoinedFeatures& joined);

/// Opens `path` as libsvm lines. `schema` must outlive the parser.
[[nodiscard]] absl::StatusOr<std::unique_ptr<RowParser>> OpenLibsvmParser(const FileOpener& opener,
                                                                          const std::string& path,
                                                                          const Schema& schema);

}  // namespace longtail::examples
