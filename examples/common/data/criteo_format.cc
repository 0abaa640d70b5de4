#include "examples/common/data/criteo_format.h"

#include "absl/strings/str_cat.h"
#include "examples/common/data/line_problem.h"

namespace longtail::examples {

absl::Status SetCriteoFormat(const std::string& integers, Schema& schema) {
  const bool has_buckets = integers == "buckets" || integers == "both";
  const bool has_numbers = integers == "log1p" || integers == "both";
  if (!has_buckets && !has_numbers) {
    return absl::InvalidArgumentError(
        absl::StrCat(Quoted(integers), "; wanted buckets, log1p or both"));
  }
  schema.table = {
      .separator = "\t", .quotes = Quotes::kNone, .header = Header::kAbsent, .columns = {"label"}};
  schema.label = LabelSpec{.column = "label", .at_least = {}, .positive = {}};
  schema.features.clear();
  for (int i = 1; i <= kCriteoIntegerCount; ++i) {
    FeatureSpec feature;
    feature.column = feature.field = absl::StrCat("I", i);
    schema.table.columns.push_back(feature.column);
    if (has_numbers) {
      FeatureSpec number = feature;
      number.kind = FeatureKind::kNumeric;
      number.transform = Transform::kLog1p;
      schema.features.push_back(number);
    }
    if (has_buckets) {
      feature.bucketing = Bucketing::kLogSquare;
      schema.features.push_back(feature);
    }
  }
  for (int i = 1; i <= kCriteoCategoryCount; ++i) {
    FeatureSpec feature;
    feature.column = feature.field = absl::StrCat("C", i);
    schema.table.columns.push_back(feature.column);
    schema.features.push_back(feature);
  }
  return absl::OkStatus();
}

}  // namespace longtail::examples
