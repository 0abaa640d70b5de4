#include "examples/common/data/example_reader.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace longtail::examples {
namespace {

// Parts of the data are rounded to this many steps, so that `first: 0.9` and `last: 0.1` meet.
constexpr std::uint64_t kPartSteps = 1'000'000;
constexpr std::uint64_t kLinesBetweenStopChecks = 1024;  // A power of two.

// The number of the example that ends the first `part` of `count`, rounded.
std::uint64_t PartEnd(std::uint64_t count, double part) {
  const auto steps = static_cast<std::uint64_t>(std::llround(part * double{kPartSteps}));
  // In two parts, so that no count overflows.
  const std::uint64_t whole = count / kPartSteps * steps;
  return whole + (count % kPartSteps * steps + kPartSteps / 2) / kPartSteps;
}

absl::Status StoppedError(const std::string& name) {
  return absl::CancelledError(absl::StrCat(name, ": reading was stopped"));
}

std::string SplitNames(const Schema& schema) {
  return absl::StrJoin(schema.splits, ", ", [](std::string* out, const auto& entry) {
    absl::StrAppend(out, entry.first);
  });
}

}  // namespace

ExampleReader::ExampleReader(const Schema& schema, const SplitSpec& split, ReaderOptions options)
    : schema_(schema),
      split_(split),
      options_(std::move(options)),
      layout_(LayoutOf(schema)),
      position_(options_.position) {}

absl::StatusOr<std::unique_ptr<ExampleReader>> ExampleReader::Open(const Schema& schema,
                                                                   const std::string& split,
                                                                   ReaderOptions options) {
  if (absl::Status status = Validate(schema); !status.ok()) return status;
  const auto found = schema.splits.find(split);
  if (found == schema.splits.end()) {
    return absl::NotFoundError(
        absl::StrCat("schema: no split '", split, "'; wanted one of ", SplitNames(schema)));
  }
  if (options.position.file > found->second.files.size()) {
    return absl::InvalidArgumentError(absl::StrCat("position: file ", options.position.file,
                                                   " of split '", split, "'; wanted at most ",
                                                   found->second.files.size()));
  }
  std::unique_ptr<ExampleReader> reader(
      new ExampleReader(schema, found->second, std::move(options)));
  absl::StatusOr<JoinedFeatures> joined = JoinedFeatures::Load(reader->options_.opener, schema);
  if (!joined.ok()) return joined.status();
  reader->joined_ = *std::move(joined);
  if (absl::Status status = reader->SetRange(); !status.ok()) return status;
  return reader;
}

absl::Status ExampleReader::SetRange() {
  range_begin_ = split_.skip;
  if (split_.take.has_value()) {
    const std::uint64_t room = std::numeric_limits<std::uint64_t>::max() - range_begin_;
    range_end_ = range_begin_ + std::min(*split_.take, room);
  }
  if (!split_.first.has_value() && !split_.last.has_value()) return absl::OkStatus();
  const absl::StatusOr<std::uint64_t> count = CountMatches();
  if (!count.ok()) return count.status();
  if (split_.first.has_value()) range_end_ = PartEnd(*count, *split_.first);
  if (split_.last.has_value()) range_begin_ = PartEnd(*count, 1 - *split_.last);
  return absl::OkStatus();
}

absl::StatusOr<std::uint64_t> ExampleReader::CountMatches() {
  std::uint64_t count = 0;
  for (std::uint64_t file = 0; file < split_.files.size(); ++file) {
    const absl::StatusOr<std::unique_ptr<RowParser>> parser = OpenFileAt(file);
    if (!parser.ok()) return parser.status();
    while (true) {
      const absl::StatusOr<bool> found = (*parser)->Next();
      if (!found.ok()) return found.status();
      if (!*found) break;
      bool passes = false;
      LineProblem problem;
      // A bad line is for the pass that gives examples to report.
      if ((*parser)->Match(passes, problem) && passes) ++count;
    }
  }
  return count;
}

absl::StatusOr<std::unique_ptr<RowParser>> ExampleReader::OpenFileAt(std::uint64_t file) {
  const std::string path = PathOf(schema_.directory, split_.files[file]);
  if (schema_.libsvm.has_value()) return OpenLibsvmParser(options_.opener, path, schema_);
  return OpenTableParser(options_.opener, path, schema_, split_, joined_);
}

absl::Status ExampleReader::Next(std::size_t example_count_max, Batch& batch) {
  BatchWriter writer(layout_, batch);
  if (!failed_.ok()) return failed_;
  while (!writer.IsFull(example_count_max) && position_.matched < range_end_) {
    const absl::StatusOr<bool> found = NextLine();
    absl::Status status = found.ok() ? absl::OkStatus() : found.status();
    if (status.ok() && !*found) break;
    if (status.ok()) status = TakeLine(writer);
    if (!status.ok()) {
      failed_ = status;
      return status;
    }
  }
  return absl::OkStatus();
}

// Goes to the next line of this file or of a later one; false after the last.
absl::StatusOr<bool> ExampleReader::NextLine() {
  while (position_.file < split_.files.size()) {
    if (parser_ == nullptr) {
      absl::StatusOr<std::unique_ptr<RowParser>> parser = OpenFileAt(position_.file);
      if (!parser.ok()) return parser.status();
      parser_ = *std::move(parser);
      while (parser_->line_number() < position_.line) {
        if (stop_.load(std::memory_order_relaxed)) return StoppedError(parser_->name());
        const absl::StatusOr<bool> found = parser_->Next();
        if (!found.ok()) return found.status();
        if (!*found) break;
      }
      if (parser_->line_number() != position_.line && position_.line != 0) {
        return absl::InvalidArgumentError(absl::StrCat(
            parser_->name(), ": has no line ", position_.line,
            " where reading could go on; wanted the file that the position was saved for"));
      }
    }
    absl::StatusOr<bool> found = parser_->Next();
    if (!found.ok()) return found.status();
    if (parser_->line_number() % kLinesBetweenStopChecks == 0 || !*found) {
      if (stop_.load(std::memory_order_relaxed)) return StoppedError(parser_->name());
    }
    if (*found) {
      position_.line = parser_->line_number();
      return true;
    }
    parser_.reset();
    ++position_.file;
    position_.line = 0;
  }
  return false;
}

absl::Status ExampleReader::TakeLine(BatchWriter& writer) {
  bool passes = false;
  LineProblem problem;
  if (!parser_->Match(passes, problem)) return OnProblem(*parser_, problem);
  if (!passes) return absl::OkStatus();
  const std::uint64_t number = position_.matched++;
  if (number < range_begin_) return absl::OkStatus();
  if (!parser_->Fill(writer, problem)) {
    writer.AbortExample();
    return OnProblem(*parser_, problem);
  }
  ++position_.given;
  return absl::OkStatus();
}

absl::Status ExampleReader::OnProblem(const RowParser& parser, const LineProblem& problem) {
  absl::Status status = BadLineError(parser.name(), parser.line_number(), problem);
  if (options_.on_bad_line == OnBadLine::kFail) return status;
  ++position_.bad_lines;
  if (bad_line_messages_.size() < kBadLineMessagesMax) {
    bad_line_messages_.emplace_back(status.message());
  }
  return absl::OkStatus();
}

}  // namespace longtail::examples
