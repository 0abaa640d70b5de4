#include <algorithm>
#include <cstddef>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "examples/common/data/feature_key.h"
#include "examples/common/data/label_rule.h"
#include "examples/common/data/line_reader.h"
#include "examples/common/data/parse_number.h"
#include "examples/common/data/row_parser.h"

namespace longtail::examples {
namespace {

constexpr std::string_view kSpaces = " \t";

// Lines "label index:value index:value …". The token of a feature is its index as it is written.
class LibsvmParser final : public RowParser {
 public:
  LibsvmParser(const Schema& schema, LineReader lines) : schema_(schema), lines_(std::move(lines)) {
    const FeatureLayout layout = LayoutOf(schema);
    for (const std::string& field : layout.field_names) seeds_.push_back(FieldSeed(field));
    is_positional_ = !schema.libsvm->fields.empty();
    if (schema.group.has_value()) {
      const auto found = std::ranges::find(layout.field_names, *schema.group);
      group_ = static_cast<std::size_t>(found - layout.field_names.begin());
    }
  }

  absl::StatusOr<bool> Next() override {
    while (true) {
      absl::StatusOr<bool> found = lines_.Next(line_);
      if (!found.ok() || !*found) return found;
      if (line_.find_first_not_of(kSpaces) != std::string_view::npos) return true;
    }
  }

  bool Match(bool& passes, LineProblem&) override {
    passes = true;
    return true;
  }

  bool Fill(BatchWriter& writer, LineProblem& problem) override;
  const std::string& name() const override { return lines_.name(); }
  std::uint64_t line_number() const override { return lines_.line_number(); }

 private:
  struct Pair {
    std::string_view index;
    float value = 1;
  };

  // Takes the next word of the line, moving `position` behind it; empty at the end.
  std::string_view TakeWord(std::size_t& position) const;
  bool ReadPair(std::string_view word, Pair& pair, LineProblem& problem) const;

  const Schema& schema_;
  LineReader lines_;
  std::vector<std::uint64_t> seeds_;  // One a field.
  bool is_positional_ = false;
  std::optional<std::size_t> group_;
  std::string_view line_;
};

std::string_view LibsvmParser::TakeWord(std::size_t& position) const {
  position = std::min(line_.find_first_not_of(kSpaces, position), line_.size());
  const std::size_t end = std::min(line_.find_first_of(kSpaces, position), line_.size());
  const std::string_view word = line_.substr(position, end - position);
  position = end;
  return word;
}

bool LibsvmParser::ReadPair(std::string_view word, Pair& pair, LineProblem& problem) const {
  problem.offset = static_cast<std::size_t>(word.data() - line_.data());
  const std::size_t colon = word.find(':');
  pair.index = word.substr(0, colon);
  const bool is_index = !pair.index.empty() && std::ranges::all_of(pair.index, [](char c) {
    return c >= '0' && c <= '9';
  });
  if (!is_index || colon == std::string_view::npos) {
    problem.message = absl::StrCat(Quoted(word), " is no feature; wanted index:value");
    return false;
  }
  const std::string_view text = word.substr(colon + 1);
  if (text == "1") return true;
  const std::optional<double> value = ParseNumber(text);
  pair.value = static_cast<float>(value.value_or(0));
  if (value.has_value() && std::isfinite(pair.value)) return true;
  problem.offset += colon + 1;
  problem.message = absl::StrCat("value ", Quoted(text), " of feature ", Quoted(pair.index),
                                 ": wanted a finite number");
  return false;
}

bool LibsvmParser::Fill(BatchWriter& writer, LineProblem& problem) {
  std::size_t position = 0;
  const std::string_view label_text = TakeWord(position);
  problem.offset = static_cast<std::size_t>(label_text.data() - line_.data());
  float label = 0;
  if (!ReadLabel(schema_.label, label_text, label, problem.message)) return false;
  std::uint64_t group = 0;
  std::size_t count = 0;
  while (true) {
    const std::string_view word = TakeWord(position);
    if (word.empty()) break;
    Pair pair;
    if (!ReadPair(word, pair, problem)) return false;
    if (is_positional_ && count == seeds_.size()) {
      problem.message = absl::StrCat(Quoted(word), " is one feature too many; wanted ",
                                     seeds_.size(), ", one a field");
      return false;
    }
    const Key key = FeatureKey(seeds_[is_positional_ ? count : 0], pair.index);
    if (group_ == count) group = key;
    writer.AddKey(key, pair.value);
    if (is_positional_) writer.EndField();
    ++count;
  }
  if (is_positional_ && count < seeds_.size()) {
    problem.offset = line_.size();
    problem.message = absl::StrCat("the line ", Quoted(line_), " has ", count, " features; wanted ",
                                   seeds_.size(), ", one a field");
    return false;
  }
  if (!is_positional_) writer.EndField();
  if (group_.has_value()) {
    writer.EndExample(label, group);
  } else {
    writer.EndExample(label);
  }
  return true;
}

}  // namespace

absl::StatusOr<std::unique_ptr<RowParser>> OpenLibsvmParser(const FileOpener& opener,
                                                            const std::string& path,
                                                            const Schema& schema) {
  absl::StatusOr<std::unique_ptr<ByteSource>> source = opener(path);
  if (!source.ok()) return source.status();
  return std::make_unique<LibsvmParser>(schema, LineReader(path, *std::move(source)));
}

}  // namespace longtail::examples
