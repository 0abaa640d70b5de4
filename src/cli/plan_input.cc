#include "cli/plan_input.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <fstream>
#include <map>
#include <span>
#include <sstream>
#include <string_view>

#include <nlohmann/json.hpp>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "base/status_macros.h"
#include "protocol/json_reader.h"
#include "protocol/spec_fields.h"
#include "protocol/spec_json.h"

namespace longtail::cli {
namespace {

using nlohmann::json;

constexpr int kDepthMax = 16;
constexpr double kWholeMax = 1e15;

absl::Status Wrong(const std::string& place, const std::string& value, const std::string& wanted) {
  return absl::InvalidArgumentError(absl::StrCat(place, " '", value, "': want ", wanted));
}

absl::Status ReadWhole(const std::string& place, const std::string& text, std::uint64_t& whole) {
  double number = 0;
  if (!absl::SimpleAtod(text, &number) || number < 0 || number > kWholeMax ||
      number != std::floor(number)) {
    return Wrong(place, text, "a whole number up to 1e15");
  }
  whole = static_cast<std::uint64_t>(number);
  return absl::OkStatus();
}

absl::Status ReadName(const std::string& place, const std::string& text,
                      std::span<const std::string_view> names, std::size_t& index) {
  const auto found = std::ranges::find(names, text);
  if (found == names.end()) {
    std::vector<std::string> wanted(names.begin(), names.end());
    return Wrong(place, text, absl::StrCat("one of ", absl::StrJoin(wanted, ", ")));
  }
  index = static_cast<std::size_t>(found - names.begin());
  return absl::OkStatus();
}

absl::Status SetWord(const std::string& place, const std::string& word, const std::string& value,
                     PlannedTable& table) {
  std::uint64_t whole = 0;
  std::size_t index = 0;
  if (word == "optimizer") {
    LONGTAIL_RETURN_IF_ERROR(ReadName(place, value, kRuleNames, index));
    EmplaceIndex(table.spec.optimizer.rule, index);
  } else if (word == "weights") {
    LONGTAIL_RETURN_IF_ERROR(ReadName(place, value, kWeightFormatNames, index));
    table.spec.format.weights = static_cast<WeightFormat>(index);
  } else if (word == "state") {
    LONGTAIL_RETURN_IF_ERROR(ReadName(place, value, kStateFormatNames, index));
    table.spec.format.state = static_cast<StateFormat>(index);
  } else if (word == "tail_share") {
    if (!absl::SimpleAtod(value, &table.tail_share)) return Wrong(place, value, "a share, 0..1");
  } else if (word == "cardinality") {
    LONGTAIL_RETURN_IF_ERROR(ReadWhole(place, value, table.cardinality));
  } else if (word == "fields" || word == "dim" || word == "tail" || word == "rowwise") {
    LONGTAIL_RETURN_IF_ERROR(ReadWhole(place, value, whole));
    if (whole > 0xFFFFFFFF) return Wrong(place, value, "less than 2^32");
    const auto number = static_cast<std::uint32_t>(whole);
    if (word == "fields") table.fields = number;
    if (word == "dim") table.spec.dim = number;
    if (word == "tail") table.spec.tail.below = number;
    if (word == "rowwise") table.spec.tail.rowwise_state = number != 0;
  } else {
    return Wrong(place, word,
                 "one of fields, cardinality, dim, optimizer, weights, state, tail, rowwise, "
                 "tail_share");
  }
  return absl::OkStatus();
}

absl::StatusOr<json> ReadJson(const std::string& path, bool has_comments) {
  const std::ifstream file(path);
  if (!file.is_open()) return absl::NotFoundError(absl::StrCat("'", path, "': cannot be opened"));
  std::ostringstream text;
  text << file.rdbuf();
  if (!has_comments) return ParseJson(path, text.str(), kDepthMax);
  json document = json::parse(text.str(), nullptr, /*allow_exceptions=*/false,
                              /*ignore_comments=*/true);
  if (document.is_discarded() || !document.is_object()) {
    return absl::DataLossError(absl::StrCat("'", path, "': is no JSON object"));
  }
  return document;
}

// What a config may leave out stays as it is.
class Part {
 public:
  Part(const std::string& path, const json& document, const char* name)
      : place_(absl::StrCat("'", path, "': ", name)),
        value_(document.contains(name) ? document.at(name) : json::object()) {}

  absl::Status Word(const char* name, const char* word, PlannedTable& table) const {
    if (!value_.is_object() || !value_.contains(name)) return absl::OkStatus();
    const json& found = value_.at(name);
    return SetWord(absl::StrCat(place_, ".", name), word,
                   found.is_string() ? found.get<std::string>() : found.dump(), table);
  }

  absl::Status Whole(const char* name, std::uint64_t& whole) const {
    if (!value_.is_object() || !value_.contains(name)) return absl::OkStatus();
    return ReadWhole(absl::StrCat(place_, ".", name), value_.at(name).dump(), whole);
  }

  std::string Text(const char* name) const {
    return value_.is_object() && value_.contains(name) && value_.at(name).is_string()
               ? value_.at(name).get<std::string>()
               : "";
  }

  bool Bool(const char* name) const {
    return value_.is_object() && value_.contains(name) && value_.at(name) == true;
  }

  Part Within(const char* name) const { return {place_, value_, name}; }

 private:
  std::string place_;
  json value_;
};

}  // namespace

absl::StatusOr<PlannedTable> ParsePlannedTable(const std::string& text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string::npos || colon == 0) {
    return Wrong("table", text, "NAME:cardinality=N,dim=N,... (`longtail plan --help`)");
  }
  PlannedTable table;
  table.spec.name = text.substr(0, colon);
  for (const auto part_text : absl::StrSplit(text.substr(colon + 1), ',')) {
    const std::string part(part_text);
    const std::size_t equals = part.find('=');
    const std::string place = absl::StrCat("table '", table.spec.name, "'");
    if (equals == std::string::npos) return Wrong(place, part, "WORD=VALUE");
    const std::string word = part.substr(0, equals);
    LONGTAIL_RETURN_IF_ERROR(
        SetWord(absl::StrCat(place, ": ", word), word, part.substr(equals + 1), table));
  }
  return table;
}

absl::Status TakeTrainingConfig(const std::string& path, PlannedTable data, PlanInput& input) {
  LONGTAIL_ASSIGN_OR_RETURN(const json document, ReadJson(path, true));
  data.spec.name = "rows";
  data.spec.dim = 0;
  const Part model(path, document, "model");
  const Part sparse(path, document, "sparse");
  const Part training(path, document, "training");
  LONGTAIL_RETURN_IF_ERROR(model.Word("dim", "dim", data));
  // The first-order weight of a feature is kept with its vector, where the model has one.
  const std::string name = model.Text("name");
  if (name == "dcn_v2" ? model.Bool("linear") : name != "dlrm") ++data.spec.dim;
  LONGTAIL_RETURN_IF_ERROR(sparse.Within("optimizer").Word("rule", "optimizer", data));
  LONGTAIL_RETURN_IF_ERROR(sparse.Within("format").Word("weights", "weights", data));
  LONGTAIL_RETURN_IF_ERROR(sparse.Within("format").Word("state", "state", data));
  LONGTAIL_RETURN_IF_ERROR(sparse.Within("tail").Word("below", "tail", data));
  data.spec.tail.rowwise_state = sparse.Within("tail").Bool("rowwise_state");
  LONGTAIL_RETURN_IF_ERROR(training.Whole("batch", input.batch));
  std::uint64_t workers = input.workers;
  LONGTAIL_RETURN_IF_ERROR(training.Whole("workers", workers));
  input.workers = static_cast<std::uint32_t>(std::min<std::uint64_t>(workers, 0xFFFFFFFF));
  input.tables.push_back(std::move(data));
  return absl::OkStatus();
}

absl::Status TakeTableSpec(const std::string& path, PlannedTable data, PlanInput& input) {
  LONGTAIL_ASSIGN_OR_RETURN(const json document, ReadJson(path, false));
  absl::Status status;
  JsonReader reader(path, document, status);
  data.spec = reader.Has("spec") ? SpecFromJson(reader.Object("spec")) : SpecFromJson(reader);
  LONGTAIL_RETURN_IF_ERROR(status);
  input.tables.push_back(std::move(data));
  return absl::OkStatus();
}

}  // namespace longtail::cli
