#include "examples/common/data/schema_json.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "examples/common/data/column_names.h"
#include "examples/common/data/criteo_format.h"
#include "examples/common/data/json_fields.h"
#include "examples/common/data/line_problem.h"

namespace longtail::examples {
namespace {

using nlohmann::json;

// Takes format, separator, header and columns. `kind` is the word at "format".
void ReadTable(JsonFields& fields, const std::string& kind, TableFormat& table) {
  table.separator = std::string(kind == "csv" ? "," : kind == "tsv" ? "\t" : "");
  table.quotes = kind == "csv" ? Quotes::kDouble : Quotes::kNone;
  bool has_header = true;
  fields.Get("separator", table.separator);
  fields.Get("header", has_header);
  table.header = has_header ? Header::kFirstLine : Header::kAbsent;
  fields.Get("columns", table.columns);
  if (kind != "csv" && kind != "tsv" && kind != "delimited") {
    fields.Refuse("format", absl::StrCat(Quoted(kind), "; wanted csv, tsv or delimited"));
  }
  absl::StatusOr<std::vector<std::string>> columns = ExpandColumnNames(table.columns);
  if (!columns.ok()) return fields.Refuse("columns", std::string(columns.status().message()));
  table.columns = *std::move(columns);
  if (has_header && !table.columns.empty()) {
    fields.Refuse("columns", "given although there is a header; wanted \"header\": false");
  }
}

absl::Status ReadLabel(const json& value, const std::string& place, LabelSpec& label) {
  if (value.is_string()) {
    label.column = value.get<std::string>();
    return absl::OkStatus();
  }
  JsonFields fields(value, place);
  fields.Get("column", label.column);
  fields.Get("at_least", label.at_least);
  fields.Get("positive", label.positive);
  return fields.Finish();
}

void ReadNumeric(JsonFields& fields, FeatureSpec& feature) {
  std::string transform = "none";
  double missing = 0;
  fields.Get("transform", transform);
  fields.Get("mean", feature.mean);
  fields.Get("std", feature.deviation);
  fields.Get("missing", missing);
  feature.missing = static_cast<float>(missing);
  if (transform == "log1p") {
    feature.transform = Transform::kLog1p;
  } else if (transform == "standardise") {
    feature.transform = Transform::kStandardise;
  } else if (transform != "none") {
    fields.Refuse("transform",
                  absl::StrCat(Quoted(transform), "; wanted none, log1p or standardise"));
  }
}

void ReadCategorical(JsonFields& fields, FeatureSpec& feature) {
  fields.Get("separator", feature.separator);
  fields.Get("extract", feature.extract);
  fields.Get("lower_case", feature.lower_case);
  fields.Get("missing_key", feature.missing_key);
  const json* const bucket = fields.Find("bucket");
  if (bucket == nullptr) return;
  if (bucket->is_array()) {
    feature.bucketing = Bucketing::kBoundaries;
    fields.Get("bucket", feature.boundaries);
    if (feature.boundaries.empty()) fields.Refuse("bucket", "is empty; wanted boundaries");
  } else if (bucket->is_string() && bucket->get<std::string>() == "log_square") {
    feature.bucketing = Bucketing::kLogSquare;
  } else {
    fields.Refuse("bucket", "wanted \"log_square\" or a list of boundaries");
  }
}

absl::Status ReadFeature(const json& value, const std::string& place,
                         std::vector<FeatureSpec>& features) {
  FeatureSpec feature;
  bool has_field = false;
  if (value.is_string()) {
    feature.column = value.get<std::string>();
  } else {
    JsonFields fields(value, place);
    std::string type = "categorical";
    fields.Get("type", type);
    fields.Get("column", feature.column);
    fields.Get("field", feature.field);
    has_field = !feature.field.empty();
    if (type == "numeric") {
      feature.kind = FeatureKind::kNumeric;
      ReadNumeric(fields, feature);
    } else {
      ReadCategorical(fields, feature);
    }
    if (type != "numeric" && type != "categorical") {
      fields.Refuse("type", absl::StrCat(Quoted(type), "; wanted categorical or numeric"));
    }
    if (absl::Status status = fields.Finish(); !status.ok()) return status;
  }
  absl::StatusOr<std::vector<std::string>> columns = ExpandColumnName(feature.column);
  if (!columns.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat(place, ": ", std::string(columns.status().message())));
  }
  if (has_field && columns->size() > 1) {
    return absl::InvalidArgumentError(
        absl::StrCat(place, ": key 'field': given with a range; wanted it with one column"));
  }
  for (const std::string& column : *columns) {
    feature.column = column;
    if (!has_field) feature.field = column;
    features.push_back(feature);
  }
  return absl::OkStatus();
}

absl::Status ReadColumnPair(const json& value, const std::string& place, ColumnPair& pair) {
  if (value.is_string()) {
    pair = {value.get<std::string>(), value.get<std::string>()};
    return absl::OkStatus();
  }
  JsonFields fields(value, place);
  fields.Get("example", pair.example);
  fields.Get("side", pair.side);
  return fields.Finish();
}

absl::Status ReadJoin(const json& value, const std::string& place, std::vector<JoinSpec>& joins) {
  JsonFields fields(value, place);
  JoinSpec join;
  std::string format = "csv";
  fields.Get("file", join.file);
  fields.Get("format", format);
  ReadTable(fields, format, join.table);
  fields.Get("add", join.add);
  fields.Get("many", join.many);
  const json* const on = fields.Find("on");
  const json* const as_of = fields.Find("as_of");
  if (absl::Status status = fields.Finish(); !status.ok()) return status;
  if (on != nullptr) {
    if (absl::Status status = ReadColumnPair(*on, absl::StrCat(place, ".on"), join.on);
        !status.ok()) {
      return status;
    }
  }
  if (as_of != nullptr) {
    absl::Status status =
        ReadColumnPair(*as_of, absl::StrCat(place, ".as_of"), join.as_of.emplace());
    if (!status.ok()) return status;
  }
  joins.push_back(std::move(join));
  return absl::OkStatus();
}

absl::Status ReadCondition(const json& value, const std::string& place,
                           std::vector<Condition>& conditions) {
  JsonFields fields(value, place);
  Condition condition;
  fields.Get("column", condition.column);
  fields.Get("equals", condition.equals);
  fields.Get("at_least", condition.at_least);
  fields.Get("below", condition.below);
  conditions.push_back(std::move(condition));
  return fields.Finish();
}

// Calls read(item, place) for every item of the list at `value`, which may be absent.
template <typename Read>
absl::Status ForEach(const json* value, const std::string& place, const Read& read) {
  if (value == nullptr) return absl::OkStatus();
  if (!value->is_array()) {
    return absl::InvalidArgumentError(
        absl::StrCat(place, ": is ", value->type_name(), "; wanted a list"));
  }
  std::size_t index = 0;
  for (const json& item : *value) {
    absl::Status status = read(item, absl::StrCat(place, "[", index++, "]"));
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status ReadSplit(const json& value, const std::string& place, SplitSpec& split) {
  JsonFields fields(value, place);
  fields.Get("files", split.files);
  fields.Get("skip", split.skip);
  fields.Get("take", split.take);
  fields.Get("first", split.first);
  fields.Get("last", split.last);
  const json* const where = fields.Find("where");
  if (absl::Status status = fields.Finish(); !status.ok()) return status;
  return ForEach(where, absl::StrCat(place, ".where"),
                 [&](const json& item, const std::string& at) {
                   return ReadCondition(item, at, split.where);
                 });
}

// Names the positional fields of a libsvm schema.
void ReadLibsvm(JsonFields& fields, LibsvmFormat& format) {
  std::uint64_t count = 0;
  fields.Get("fields", count);
  std::vector<std::string> names;
  fields.Get("columns", names);
  absl::StatusOr<std::vector<std::string>> columns = ExpandColumnNames(names);
  if (!columns.ok()) return fields.Refuse("columns", std::string(columns.status().message()));
  if (count > kColumnCountMax) {
    return fields.Refuse("fields", absl::StrCat(count, "; wanted at most ", kColumnCountMax));
  }
  if (!columns->empty() && columns->size() != count) {
    return fields.Refuse(
        "columns", absl::StrCat(columns->size(), " names for ", count, " fields; wanted one each"));
  }
  format.fields = *std::move(columns);
  for (std::size_t i = format.fields.size(); i < count; ++i) {
    format.fields.push_back(absl::StrCat("f", i));
  }
}

void ReadFormat(JsonFields& fields, Schema& schema) {
  std::string format = "csv";
  fields.Get("format", format);
  if (format == "libsvm") {
    ReadLibsvm(fields, schema.libsvm.emplace());
  } else if (format == "criteo") {
    std::string integers = "buckets";
    fields.Get("integers", integers);
    const absl::Status status = SetCriteoFormat(integers, schema);
    if (!status.ok()) fields.Refuse("integers", std::string(status.message()));
  } else {
    if (format != "csv" && format != "tsv" && format != "delimited") {
      fields.Refuse("format",
                    absl::StrCat(Quoted(format), "; wanted csv, tsv, delimited, libsvm or criteo"));
    }
    ReadTable(fields, format, schema.table);
  }
}

absl::Status ReadSplits(const json* value, const std::string& place, Schema& schema) {
  if (value == nullptr) return absl::OkStatus();
  if (!value->is_object()) {
    return absl::InvalidArgumentError(
        absl::StrCat(place, ": is ", value->type_name(), "; wanted an object"));
  }
  for (const auto& [name, split] : value->items()) {
    absl::Status status = ReadSplit(split, absl::StrCat(place, ".", name), schema.splits[name]);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::StatusOr<Schema> SchemaFromJson(const json& root, const std::string& name) {
  Schema schema;
  JsonFields fields(root, name);
  ReadFormat(fields, schema);
  fields.Get("group", schema.group);
  std::vector<std::string> files;
  fields.Get("files", files);
  const json* const label = fields.Find("label");
  const json* const features = fields.Find("features");
  const json* const joins = fields.Find("joins");
  const json* const splits = fields.Find("splits");
  if (absl::Status status = fields.Finish(); !status.ok()) return status;

  if (label != nullptr) {
    absl::Status status = ReadLabel(*label, absl::StrCat(name, ": label"), schema.label);
    if (!status.ok()) return status;
  }
  absl::Status status = ForEach(features, absl::StrCat(name, ": features"),
                                [&](const json& item, const std::string& at) {
                                  return ReadFeature(item, at, schema.features);
                                });
  if (!status.ok()) return status;
  status = ForEach(
      joins, absl::StrCat(name, ": joins"),
      [&](const json& item, const std::string& at) { return ReadJoin(item, at, schema.joins); });
  if (!status.ok()) return status;
  status = ReadSplits(splits, absl::StrCat(name, ": splits"), schema);
  if (!status.ok()) return status;
  for (auto& [split_name, split] : schema.splits) {
    if (split.files.empty()) split.files = files;
  }
  status = Validate(schema);
  if (!status.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(name, ": ", std::string(status.message())));
  }
  return schema;
}

}  // namespace

absl::StatusOr<Schema> ParseSchema(std::string_view text, const std::string& name,
                                   const std::string& directory) {
  json root;
  try {
    root = json::parse(text, nullptr, /*allow_exceptions=*/true, /*ignore_comments=*/true);
  } catch (const json::exception& error) {
    return absl::InvalidArgumentError(absl::StrCat(name, ": not JSON: ", error.what()));
  }
  absl::StatusOr<Schema> schema = SchemaFromJson(root, name);
  if (schema.ok()) schema->directory = directory;
  return schema;
}

absl::StatusOr<Schema> LoadSchema(const std::string& path, const std::string& data_directory) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    return absl::NotFoundError(absl::StrCat(path, ": cannot be opened; wanted a schema file"));
  }
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  const std::string own = std::filesystem::path(path).parent_path().string();
  return ParseSchema(text, path, data_directory.empty() ? own : data_directory);
}

}  // namespace longtail::examples
