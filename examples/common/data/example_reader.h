// Reads the examples of one split of a data set, file by file, as batches.
#pragma once

#include <atomic>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "examples/common/data/batch_source.h"
#include "examples/common/data/byte_source.h"
#include "examples/common/data/joined_features.h"
#include "examples/common/data/row_parser.h"
#include "examples/common/data/schema.h"

namespace longtail::examples {

/// How many messages of bad lines are kept.
inline constexpr std::size_t kBadLineMessagesMax = 5;

enum class OnBadLine { kFail, kSkip };

/// Where a reader is: what was given lies before, the rest after. Plain numbers, to be kept in a
/// checkpoint.
struct ReaderPosition {
  std::uint64_t file = 0;     ///< Place of the current file in the split's list.
  std::uint64_t line = 0;     ///< Lines of that file already read, the header included.
  std::uint64_t matched = 0;  ///< Rows that passed the split's conditions so far, in all files.
  std::uint64_t given = 0;    ///< Examples given so far.
  std::uint64_t bad_lines = 0;

  friend bool operator==(const ReaderPosition&, const ReaderPosition&) = default;
};

struct ReaderOptions {
  OnBadLine on_bad_line = OnBadLine::kFail;
  ReaderPosition position;       ///< Where to begin.
  FileOpener opener = OpenFile;  ///< Called with the schema's directory and the file's name joined.
};

/// Gives the examples of a split in the order of its files.
class ExampleReader final : public BatchSource {
 public:
  /// Loads the joins, and opens the first file when it is asked for examples. Beginning at a
  /// position reads again, but does not parse, what lies before it in its file; a split with
  /// `first` or `last` is read once more from the beginning, to count its rows.
  ///
  /// Errors: NotFound if there is no such split or side file; InvalidArgument as Validate and
  /// SideTable::Load.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<ExampleReader>> Open(const Schema& schema,
                                                                           const std::string& split,
                                                                           ReaderOptions options);

  /// Errors: InvalidArgument "file:line:column: …" for a bad line, unless those are skipped;
  /// NotFound, Unavailable, DataLoss, ResourceExhausted from the file; Cancelled after RequestStop.
  [[nodiscard]] absl::Status Next(std::size_t example_count_max, Batch& batch) override;

  const FeatureLayout& layout() const override { return layout_; }
  void RequestStop() override { stop_.store(true); }

  const ReaderPosition& position() const { return position_; }
  const std::vector<std::string>& bad_line_messages() const { return bad_line_messages_; }

 private:
  ExampleReader(const Schema& schema, const SplitSpec& split, ReaderOptions options);

  absl::Status SetRange();
  absl::StatusOr<std::uint64_t> CountMatches();
  absl::StatusOr<std::unique_ptr<RowParser>> OpenFileAt(std::uint64_t file);
  absl::StatusOr<bool> NextLine();
  absl::Status TakeLine(BatchWriter& writer);
  absl::Status OnProblem(const RowParser& parser, const LineProblem& problem);

  const Schema schema_;
  const SplitSpec split_;
  const ReaderOptions options_;
  const FeatureLayout layout_;
  JoinedFeatures joined_;
  // Examples with these numbers are given.
  std::uint64_t range_begin_ = 0;
  std::uint64_t range_end_ = std::numeric_limits<std::uint64_t>::max();
  ReaderPosition position_;
  std::unique_ptr<RowParser> parser_;  // Null between files.
  absl::Status failed_;                // The first error; every later Next returns it.
  std::vector<std::string> bad_line_messages_;
  std::atomic<bool> stop_ = false;
};

}  // namespace longtail::examples
