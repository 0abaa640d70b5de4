#include "examples/common/data/side_table.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "examples/common/data/cell_rules.h"
#include "examples/common/data/line_problem.h"
#include "examples/common/data/parse_number.h"

namespace longtail::examples {

// Reads the side file row by row, then orders what it read.
class SideTable::Loader {
 public:
  Loader(const JoinSpec& join, RowScanner& scanner, SideTable& target)
      : join_(join), scanner_(scanner), target_(target) {}

  absl::Status Bind(const std::vector<FeatureSpec>& features);
  absl::Status ReadRows();
  void Finish();

 private:
  struct Part {
    std::size_t column = 0;
    FeatureKind kind = FeatureKind::kCategorical;
    NumberRule number;
    TokenRule token;
  };
  struct Value {
    std::uint32_t row = 0;
    double time = 0;
    Key key = 0;
  };

  bool ReadRow(const std::vector<Cell>& cells, LineProblem& problem);
  bool ReadPart(std::size_t i, const Cell& cell, std::uint32_t row, double time,
                LineProblem& problem);

  const JoinSpec& join_;
  RowScanner& scanner_;
  SideTable& target_;
  std::size_t on_ = 0;
  std::optional<std::size_t> time_;
  std::vector<Part> parts_;
  std::vector<std::vector<Value>> values_;  // By part, in the order of the file.
  std::vector<Key> scratch_;
};

absl::Status SideTable::Loader::Bind(const std::vector<FeatureSpec>& features) {
  const std::optional<std::size_t> on = scanner_.FindColumn(join_.on.side);
  if (!on.has_value()) return scanner_.NoColumnError(join_.on.side, "the join");
  on_ = *on;
  if (join_.as_of.has_value()) {
    time_ = scanner_.FindColumn(join_.as_of->side);
    if (!time_.has_value()) return scanner_.NoColumnError(join_.as_of->side, "as_of of the join");
  }
  for (const std::string& name : join_.add) {
    if (!scanner_.FindColumn(name)) return scanner_.NoColumnError(name, "add of the join");
  }
  for (const FeatureSpec& feature : features) {
    const std::optional<std::size_t> column = scanner_.FindColumn(feature.column);
    if (!column.has_value()) return scanner_.NoColumnError(feature.column, "a feature");
    absl::StatusOr<TokenRule> token = TokenRule::Make(feature);
    if (!token.ok()) return token.status();
    parts_.push_back({*column, feature.kind, NumberRule(feature), *std::move(token)});
  }
  values_.resize(parts_.size());
  target_.columns_.resize(parts_.size());
  return absl::OkStatus();
}

absl::Status SideTable::Loader::ReadRows() {
  std::vector<Cell> cells;
  while (true) {
    std::string_view line;
    const absl::StatusOr<bool> found = scanner_.Next(line);
    if (!found.ok()) return found.status();
    if (!*found) return absl::OkStatus();
    LineProblem problem;
    if (!scanner_.Split(line, cells, problem) || !ReadRow(cells, problem)) {
      return BadLineError(scanner_.name(), scanner_.line_number(), problem);
    }
  }
}

bool SideTable::Loader::ReadRow(const std::vector<Cell>& cells, LineProblem& problem) {
  const Cell& on = cells[on_];
  const auto next = static_cast<std::uint32_t>(target_.rows_.size());
  const auto [entry, is_new] = target_.rows_.try_emplace(std::string(on.text), next);
  if (!is_new && !join_.many) {
    problem = {on.offset, absl::StrCat("column '", join_.on.side, "': ", Quoted(on.text),
                                       " occurs twice; wanted it once, or \"many\": true")};
    return false;
  }
  double time = 0;
  if (time_.has_value()) {
    const Cell& cell = cells[*time_];
    const std::optional<double> number = ParseNumber(cell.text);
    if (!number.has_value()) {
      problem = {cell.offset, absl::StrCat("column '", join_.as_of->side, "': ", Quoted(cell.text),
                                           " is no time; wanted a finite number")};
      return false;
    }
    time = *number;
  }
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    if (!ReadPart(i, cells[parts_[i].column], entry->second, time, problem)) return false;
  }
  return true;
}

bool SideTable::Loader::ReadPart(std::size_t i, const Cell& cell, std::uint32_t row, double time,
                                 LineProblem& problem) {
  problem.offset = cell.offset;
  if (parts_[i].kind == FeatureKind::kNumeric) {
    float number = 0;
    if (!parts_[i].number.Apply(cell.text, number, problem.message)) return false;
    target_.columns_[i].numbers.push_back(number);
    return true;
  }
  scratch_.clear();
  if (!parts_[i].token.Apply(cell.text, scratch_, problem.message)) return false;
  for (const Key key : scratch_) values_[i].push_back({row, time, key});
  return true;
}

void SideTable::Loader::Finish() {
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    if (parts_[i].kind == FeatureKind::kNumeric) continue;
    Column& column = target_.columns_[i];
    std::ranges::stable_sort(values_[i], [](const Value& a, const Value& b) {
      return a.row != b.row ? a.row < b.row : a.time < b.time;
    });
    column.offsets.assign(1, 0);
    absl::flat_hash_set<Key>
        seen;  // Keys of the current row: its first time is the one that counts.
    for (const Value& value : values_[i]) {
      while (column.offsets.size() <= value.row) {
        column.offsets.push_back(column.keys.size());
        seen.clear();
      }
      if (join_.many && !seen.insert(value.key).second) continue;
      column.keys.push_back(value.key);
      if (time_.has_value()) column.times.push_back(value.time);
    }
    column.offsets.resize(target_.rows_.size() + 1, column.keys.size());
    values_[i] = {};
  }
}

absl::StatusOr<SideTable> SideTable::Load(const FileOpener& opener, const std::string& path,
                                          const JoinSpec& join,
                                          const std::vector<FeatureSpec>& features) {
  absl::StatusOr<std::unique_ptr<RowScanner>> scanner = RowScanner::Open(opener, path, join.table);
  if (!scanner.ok()) return scanner.status();
  SideTable table;
  Loader loader(join, **scanner, table);
  if (absl::Status status = loader.Bind(features); !status.ok()) return status;
  if (absl::Status status = loader.ReadRows(); !status.ok()) return status;
  loader.Finish();
  return table;
}

std::optional<std::uint32_t> SideTable::FindRow(std::string_view on) const {
  const auto found = rows_.find(absl::string_view(on.data(), on.size()));
  if (found == rows_.end()) return {};
  return found->second;
}

std::span<const Key> SideTable::Keys(std::size_t feature, std::uint32_t row, double now) const {
  const Column& column = columns_[feature];
  const std::size_t first = column.offsets[row];
  std::size_t count = column.offsets[row + 1] - first;
  if (!column.times.empty()) {
    const std::span<const double> times(column.times.data() + first, count);
    count = static_cast<std::size_t>(std::ranges::upper_bound(times, now) - times.begin());
  }
  return {column.keys.data() + first, count};
}

}  // namespace longtail::examples
