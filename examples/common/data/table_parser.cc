#include <algorithm>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "examples/common/data/cell_rules.h"
#include "examples/common/data/feature_key.h"
#include "examples/common/data/label_rule.h"
#include "examples/common/data/parse_number.h"
#include "examples/common/data/row_parser.h"
#include "examples/common/data/row_scanner.h"

namespace longtail::examples {
namespace {

class TableParser final : public RowParser {
 public:
  TableParser(const Schema& schema, const SplitSpec& split, const JoinedFeatures& joined,
              std::unique_ptr<RowScanner> scanner)
      : schema_(schema), split_(split), joined_(joined), scanner_(std::move(scanner)) {}

  absl::Status Bind();

  absl::StatusOr<bool> Next() override { return scanner_->Next(line_); }
  bool Match(bool& passes, LineProblem& problem) override;
  bool Fill(BatchWriter& writer, LineProblem& problem) override;
  const std::string& name() const override { return scanner_->name(); }
  std::uint64_t line_number() const override { return scanner_->line_number(); }

 private:
  // Where a feature comes from: a cell of the line, or a side table.
  struct Origin {
    bool is_joined = false;
    std::size_t cell = 0;
    JoinedFeatures::Place place;
  };
  struct Number {
    Origin origin;
    NumberRule rule;
    float missing = 0;
  };
  struct Field {
    Origin origin;
    TokenRule rule;
    bool is_plain = false;
  };
  // A join's row for the current line.
  struct Joined {
    std::size_t on = 0;
    std::optional<std::size_t> time;
    std::optional<std::uint32_t> row;
    double now = std::numeric_limits<double>::infinity();
  };

  absl::StatusOr<std::size_t> Column(const std::string& name, const std::string& purpose) const;
  absl::Status BindFeature(std::size_t i);
  bool FindRows(LineProblem& problem);
  bool FillNumbers(BatchWriter& writer, LineProblem& problem);
  bool FillFields(BatchWriter& writer, LineProblem& problem);

  const Schema& schema_;
  const SplitSpec& split_;
  const JoinedFeatures& joined_;
  const std::unique_ptr<RowScanner> scanner_;
  std::size_t label_ = 0;
  std::optional<std::size_t> group_;
  std::uint64_t group_seed_ = 0;
  std::vector<std::size_t> conditions_;
  std::vector<Number> numbers_;
  std::vector<Field> fields_;
  std::vector<Joined> joins_;

  std::string_view line_;
  std::vector<Cell> cells_;
  std::vector<Key> scratch_;
};

absl::StatusOr<std::size_t> TableParser::Column(const std::string& name,
                                                const std::string& purpose) const {
  const std::optional<std::size_t> column = scanner_->FindColumn(name);
  if (!column.has_value()) return scanner_->NoColumnError(name, purpose);
  return *column;
}

absl::Status TableParser::Bind() {
  const absl::StatusOr<std::size_t> label = Column(schema_.label.column, "the label");
  if (!label.ok()) return label.status();
  label_ = *label;
  if (schema_.group.has_value()) {
    const absl::StatusOr<std::size_t> group = Column(*schema_.group, "the group");
    if (!group.ok()) return group.status();
    group_ = *group;
    group_seed_ = FieldSeed(*schema_.group);
  }
  for (const Condition& condition : split_.where) {
    const absl::StatusOr<std::size_t> column = Column(condition.column, "where");
    if (!column.ok()) return column.status();
    conditions_.push_back(*column);
  }
  for (const JoinSpec& join : schema_.joins) {
    Joined joined;
    const absl::StatusOr<std::size_t> on = Column(join.on.example, "the join");
    if (!on.ok()) return on.status();
    joined.on = *on;
    if (join.as_of.has_value()) {
      const absl::StatusOr<std::size_t> time = Column(join.as_of->example, "as_of of the join");
      if (!time.ok()) return time.status();
      joined.time = *time;
    }
    joins_.push_back(joined);
    for (const std::string& added : join.add) {
      if (scanner_->FindColumn(added).has_value()) {
        return absl::InvalidArgumentError(absl::StrCat("schema: join '", join.file, "': column '",
                                                       added, "' is also in ", scanner_->name(),
                                                       "; wanted different names"));
      }
    }
  }
  for (std::size_t i = 0; i < schema_.features.size(); ++i) {
    if (absl::Status status = BindFeature(i); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status TableParser::BindFeature(std::size_t i) {
  const FeatureSpec& feature = schema_.features[i];
  Origin origin;
  if (const std::optional<JoinedFeatures::Place> place = joined_.Find(i); place.has_value()) {
    origin = {.is_joined = true, .cell = 0, .place = *place};
  } else {
    const absl::StatusOr<std::size_t> cell =
        Column(feature.column, absl::StrCat("feature '", feature.field, "'"));
    if (!cell.ok()) return cell.status();
    origin.cell = *cell;
  }
  if (feature.kind == FeatureKind::kNumeric) {
    numbers_.push_back({origin, NumberRule(feature), feature.missing});
    return absl::OkStatus();
  }
  absl::StatusOr<TokenRule> rule = TokenRule::Make(feature);
  if (!rule.ok()) return rule.status();
  const bool is_plain = rule->IsPlain();
  fields_.push_back({origin, *std::move(rule), is_plain});
  return absl::OkStatus();
}

bool TableParser::Match(bool& passes, LineProblem& problem) {
  if (!scanner_->Split(line_, cells_, problem)) return false;
  passes = true;
  for (std::size_t i = 0; i < conditions_.size(); ++i) {
    const Condition& condition = split_.where[i];
    const Cell& cell = cells_[conditions_[i]];
    if (condition.equals.has_value() && cell.text != *condition.equals) passes = false;
    if (!condition.at_least.has_value() && !condition.below.has_value()) continue;
    if (cell.text.empty()) {
      passes = false;
      continue;
    }
    const std::optional<double> number = ParseNumber(cell.text);
    if (!number.has_value()) {
      problem = {cell.offset, absl::StrCat("column '", condition.column, "': ", Quoted(cell.text),
                                           " cannot be compared; wanted a finite number")};
      return false;
    }
    if (condition.at_least.has_value() && !(*number >= *condition.at_least)) passes = false;
    if (condition.below.has_value() && !(*number < *condition.below)) passes = false;
  }
  return true;
}

bool TableParser::Fill(BatchWriter& writer, LineProblem& problem) {
  const Cell& cell = cells_[label_];
  float label = 0;
  problem.offset = cell.offset;
  if (!ReadLabel(schema_.label, cell.text, label, problem.message)) return false;
  if (!FindRows(problem)) return false;
  if (!FillNumbers(writer, problem) || !FillFields(writer, problem)) return false;
  if (group_.has_value()) {
    writer.EndExample(label, FeatureKey(group_seed_, cells_[*group_].text));
  } else {
    writer.EndExample(label);
  }
  return true;
}

bool TableParser::FindRows(LineProblem& problem) {
  for (std::size_t i = 0; i < joins_.size(); ++i) {
    Joined& join = joins_[i];
    join.row = joined_.table(i).FindRow(cells_[join.on].text);
    if (!join.time.has_value()) continue;
    const Cell& cell = cells_[*join.time];
    // Without a time of its own an example sees nothing: there is no leak from the future.
    join.now = -std::numeric_limits<double>::infinity();
    if (cell.text.empty()) continue;
    const std::optional<double> number = ParseNumber(cell.text);
    if (!number.has_value()) {
      problem = {cell.offset,
                 absl::StrCat("column '", schema_.joins[i].as_of->example, "': ", Quoted(cell.text),
                              " is no time; wanted a finite number")};
      return false;
    }
    join.now = *number;
  }
  return true;
}

bool TableParser::FillNumbers(BatchWriter& writer, LineProblem& problem) {
  for (const Number& number : numbers_) {
    float value = number.missing;
    if (number.origin.is_joined) {
      const JoinedFeatures::Place& place = number.origin.place;
      const std::optional<std::uint32_t> row = joins_[place.join].row;
      if (row.has_value()) value = joined_.table(place.join).Number(place.feature, *row);
    } else {
      const Cell& cell = cells_[number.origin.cell];
      if (!number.rule.Apply(cell.text, value, problem.message)) {
        problem.offset = cell.offset;
        return false;
      }
    }
    writer.AddNumeric(value);
  }
  return true;
}

bool TableParser::FillFields(BatchWriter& writer, LineProblem& problem) {
  for (const Field& field : fields_) {
    if (field.origin.is_joined) {
      const JoinedFeatures::Place& place = field.origin.place;
      const Joined& join = joins_[place.join];
      if (join.row.has_value()) {
        const SideTable& table = joined_.table(place.join);
        for (const Key key : table.Keys(place.feature, *join.row, join.now)) writer.AddKey(key);
      }
    } else if (const Cell& cell = cells_[field.origin.cell]; field.is_plain) {
      if (!cell.text.empty()) writer.AddKey(field.rule.PlainKey(cell.text));
    } else {
      scratch_.clear();
      if (!field.rule.Apply(cell.text, scratch_, problem.message)) {
        problem.offset = cell.offset;
        return false;
      }
      for (const Key key : scratch_) writer.AddKey(key);
    }
    writer.EndField();
  }
  return true;
}

}  // namespace

absl::StatusOr<std::unique_ptr<RowParser>> OpenTableParser(const FileOpener& opener,
                                                           const std::string& path,
                                                           const Schema& schema,
                                                           const SplitSpec& split,
                                                           const JoinedFeatures& joined) {
  absl::StatusOr<std::unique_ptr<RowScanner>> scanner =
      RowScanner::Open(opener, path, schema.table);
  if (!scanner.ok()) return scanner.status();
  auto parser = std::make_unique<TableParser>(schema, split, joined, *std::move(scanner));
  if (absl::Status status = parser->Bind(); !status.ok()) return status;
  return parser;
}

}  // namespace longtail::examples
