#include "examples/common/data/schema.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "absl/strings/str_cat.h"
#include "examples/common/data/line_problem.h"

namespace longtail::examples {
namespace {

constexpr char kLibsvmField[] = "features";

absl::Status Wrong(const std::string& place, const std::string& what) {
  return absl::InvalidArgumentError(absl::StrCat("schema: ", place, ": ", what));
}

absl::Status ValidateTable(const std::string& place, const TableFormat& table) {
  if (table.separator.empty()) return Wrong(place, "separator '': wanted at least one byte");
  if (table.separator.find_first_of("\"\n\r") != std::string::npos) {
    return Wrong(place, absl::StrCat("separator ", Quoted(table.separator),
                                     ": wanted no quote and no line break in it"));
  }
  if (table.header == Header::kAbsent && table.columns.empty()) {
    return Wrong(place, "columns: none; wanted their names, since there is no header");
  }
  if (table.columns.size() > kColumnCountMax) {
    return Wrong(place, absl::StrCat("columns: ", table.columns.size(), "; wanted at most ",
                                     kColumnCountMax));
  }
  std::set<std::string> seen;
  for (const std::string& name : table.columns) {
    if (!seen.insert(name).second) {
      return Wrong(place, absl::StrCat("column '", name, "' is named twice; wanted it once"));
    }
  }
  return absl::OkStatus();
}

absl::Status ValidateFeature(const std::string& place, const FeatureSpec& feature) {
  if (feature.column.empty()) return Wrong(place, "column '': wanted a column's name");
  if (feature.kind == FeatureKind::kNumeric) {
    if (!feature.separator.empty() || !feature.extract.empty() || feature.lower_case ||
        feature.missing_key || feature.bucketing != Bucketing::kNone) {
      return Wrong(place,
                   "separator, extract, lower_case or bucket in a numeric feature; wanted "
                   "them in categorical ones only");
    }
    if (!std::isfinite(feature.mean) || !std::isfinite(feature.deviation) ||
        feature.deviation <= 0 || !std::isfinite(feature.missing)) {
      return Wrong(place, absl::StrCat("std ", feature.deviation,
                                       ": wanted a finite mean, missing value and std above 0"));
    }
    return absl::OkStatus();
  }
  if (feature.transform != Transform::kNone) {
    return Wrong(place, "transform in a categorical feature; wanted \"type\": \"numeric\"");
  }
  const auto& boundaries = feature.boundaries;
  const auto unordered = [](double a, double b) { return !(a < b); };
  if (std::ranges::adjacent_find(boundaries, unordered) != boundaries.end()) {
    return Wrong(place, "bucket: boundaries are not ascending; wanted each above the one before");
  }
  return absl::OkStatus();
}

absl::Status ValidateFeatures(const Schema& schema) {
  if (schema.features.empty()) return Wrong("features", "none; wanted at least one");
  if (schema.features.size() > kColumnCountMax) {
    return Wrong("features",
                 absl::StrCat(schema.features.size(), "; wanted at most ", kColumnCountMax));
  }
  std::set<std::string> names;
  for (const FeatureSpec& feature : schema.features) {
    const std::string place = absl::StrCat("feature '", feature.field, "'");
    if (absl::Status status = ValidateFeature(place, feature); !status.ok()) return status;
    const char* const kind = feature.kind == FeatureKind::kNumeric ? "numeric " : "field ";
    if (!names.insert(kind + feature.field).second) {
      return Wrong(place, "two features have this name; wanted different values of \"field\"");
    }
  }
  return absl::OkStatus();
}

absl::Status ValidateJoins(const Schema& schema) {
  std::set<std::string> added;
  for (const JoinSpec& join : schema.joins) {
    const std::string place = absl::StrCat("join '", join.file, "'");
    if (join.file.empty()) return Wrong("join", "file '': wanted a file's name");
    if (absl::Status status = ValidateTable(place, join.table); !status.ok()) return status;
    if (join.on.example.empty() || join.on.side.empty()) {
      return Wrong(place, "on: empty; wanted the column that both files have");
    }
    if (join.add.empty()) return Wrong(place, "add: empty; wanted the columns it adds");
    if (join.as_of.has_value() && !join.many) {
      return Wrong(place, "as_of without \"many\": true; wanted both");
    }
    for (const std::string& name : join.add) {
      if (!added.insert(name).second) {
        return Wrong(place, absl::StrCat("column '", name, "' is added twice; wanted it once"));
      }
      for (const FeatureSpec& feature : schema.features) {
        if (join.many && feature.column == name && feature.kind == FeatureKind::kNumeric) {
          return Wrong(place, absl::StrCat("column '", name, "' has many values; wanted a ",
                                           "categorical feature of it"));
        }
      }
    }
  }
  const std::vector<std::string>& own = schema.table.columns;
  for (const std::string& name : own) {
    if (added.contains(name)) {
      return Wrong("join", absl::StrCat("column '", name, "' is one of the data's own columns"));
    }
  }
  return absl::OkStatus();
}

absl::Status ValidateSplit(const Schema& schema, const std::string& name, const SplitSpec& split) {
  const std::string place = absl::StrCat("split '", name, "'");
  if (split.files.empty()) return Wrong(place, "files: none; wanted at least one");
  if (schema.libsvm.has_value() && !split.where.empty()) {
    return Wrong(place, "where: libsvm lines have no columns; wanted no condition");
  }
  for (const Condition& condition : split.where) {
    if (condition.column.empty()) return Wrong(place, "where: column '': wanted a column's name");
    if (!condition.equals && !condition.at_least && !condition.below) {
      return Wrong(place, absl::StrCat("where: column '", condition.column,
                                       "': no test; wanted equals, at_least or below"));
    }
  }
  const int ranges = static_cast<int>(split.first.has_value()) +
                     static_cast<int>(split.last.has_value()) +
                     static_cast<int>(split.skip > 0 || split.take.has_value());
  if (ranges > 1) {
    return Wrong(place, "wanted one of first, last, or skip and take; found more");
  }
  for (const std::optional<double>& part : {split.first, split.last}) {
    if (part.has_value() && !(*part >= 0 && *part <= 1)) {
      return Wrong(place, absl::StrCat("fraction ", *part, ": wanted 0..1"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

FeatureLayout LayoutOf(const Schema& schema) {
  FeatureLayout layout;
  layout.has_groups = schema.group.has_value();
  if (schema.libsvm.has_value()) {
    layout.field_names = schema.libsvm->fields;
    if (layout.field_names.empty()) layout.field_names.emplace_back(kLibsvmField);
    return layout;
  }
  for (const FeatureSpec& feature : schema.features) {
    auto& names = feature.kind == FeatureKind::kNumeric ? layout.numeric_names : layout.field_names;
    names.push_back(feature.field);
  }
  return layout;
}

absl::Status Validate(const Schema& schema) {
  if (schema.libsvm.has_value()) {
    const std::vector<std::string>& fields = schema.libsvm->fields;
    if (fields.size() > kColumnCountMax) {
      return Wrong("fields", absl::StrCat(fields.size(), "; wanted at most ", kColumnCountMax));
    }
    if (std::set<std::string>(fields.begin(), fields.end()).size() != fields.size()) {
      return Wrong("columns", "a name occurs twice; wanted different ones");
    }
    if (schema.group.has_value() && std::ranges::find(fields, *schema.group) == fields.end()) {
      return Wrong("group",
                   absl::StrCat("'", *schema.group, "' is no field; wanted one of fields"));
    }
    if (!schema.features.empty() || !schema.joins.empty()) {
      return Wrong("features", "libsvm lines have no columns; wanted no features and no joins");
    }
  } else {
    if (absl::Status status = ValidateTable("table", schema.table); !status.ok()) return status;
    if (schema.label.column.empty()) return Wrong("label", "column '': wanted a column's name");
    if (absl::Status status = ValidateFeatures(schema); !status.ok()) return status;
    if (absl::Status status = ValidateJoins(schema); !status.ok()) return status;
  }
  if (schema.label.at_least.has_value() && !schema.label.positive.empty()) {
    return Wrong("label", "at_least and positive together; wanted one of them");
  }
  for (const auto& [name, split] : schema.splits) {
    if (absl::Status status = ValidateSplit(schema, name, split); !status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace longtail::examples
