#include "examples/common/report/report_json.h"

#include <cstddef>
#include <nlohmann/json.hpp>
#include <utility>

namespace longtail::examples {
namespace {

using Json = nlohmann::ordered_json;

Json JsonOf(const std::optional<double>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json JsonOf(const ClassificationMetrics& m) {
  return {{"example_count", m.example_count},
          {"positive_count", m.positive_count},
          {"auc", JsonOf(m.auc)},
          {"logloss", JsonOf(m.logloss)},
          {"normalized_entropy", JsonOf(m.normalized_entropy)},
          {"calibration", JsonOf(m.calibration)},
          {"mean_probability", JsonOf(m.mean_probability)},
          {"mean_label", JsonOf(m.mean_label)}};
}

Json JsonOf(const std::optional<BucketView>& view) {
  if (!view) return nullptr;
  Json buckets = Json::array();
  for (std::size_t i = 0; i < kCountBucketCount; ++i) {
    Json bucket{{"training_count", std::string(kCountBuckets[i].name)}};
    bucket.update(JsonOf(view->buckets[i]));
    buckets.push_back(std::move(bucket));
  }
  return {{"absent_count", view->absent_count},
          {"tail", JsonOf(view->tail)},
          {"buckets", std::move(buckets)}};
}

Json JsonOf(const std::optional<GroupAuc>& groups) {
  if (!groups) return nullptr;
  return {{"auc", JsonOf(groups->value)},
          {"group_count", groups->group_count},
          {"one_class_count", groups->one_class_count},
          {"example_count", groups->example_count}};
}

Json JsonOf(const SplitResult& split) {
  return {{"name", split.name},
          {"seconds", split.seconds},
          {"overall", JsonOf(split.evaluation.overall)},
          {"groups", JsonOf(split.evaluation.groups)},
          {"by_rarest", JsonOf(split.evaluation.by_rarest)},
          {"by_field", JsonOf(split.evaluation.by_field)}};
}

Json JsonOf(const CurvePoint& p) {
  return {{"samples_seen", p.samples_seen},
          {"seconds", p.seconds},
          {"train_loss", JsonOf(p.train_loss)},
          {"streaming_auc", JsonOf(p.streaming_auc)},
          {"validation_auc", JsonOf(p.validation_auc)},
          {"validation_logloss", JsonOf(p.validation_logloss)},
          {"samples_per_second", p.samples_per_second},
          {"row_count", p.row_count},
          {"memory_bytes", p.memory_bytes}};
}

Json JsonOf(const NamedValue& entry) {
  return {{"name", entry.name}, {"value", entry.value}};
}

Json JsonOf(const PhaseTime& phase) {
  return {{"name", phase.name}, {"seconds", phase.seconds}};
}

Json JsonOf(const RowsByCount& entry) {
  return {{"count", entry.count}, {"row_count", entry.row_count}};
}

Json JsonOf(const Environment& e) {
  return {{"machine", e.machine},
          {"operating_system", e.operating_system},
          {"cpu_model", e.cpu_model},
          {"core_count", e.core_count},
          {"memory_bytes", e.memory_bytes},
          {"compiler", e.compiler},
          {"build_type", e.build_type},
          {"blas", e.blas},
          {"version", e.version}};
}

Json JsonOf(const MemorySplit& m) {
  return {{"weight_bytes", m.weight_bytes},
          {"state_bytes", m.state_bytes},
          {"header_bytes", m.header_bytes},
          {"index_bytes", m.index_bytes}};
}

Json JsonOf(const WireTraffic& w) {
  return {{"steps", w.steps},
          {"bytes_sent", w.bytes_sent},
          {"bytes_received", w.bytes_received},
          {"key_bytes_sent", w.key_bytes_sent},
          {"value_bytes_sent", w.value_bytes_sent},
          {"value_bytes_received", w.value_bytes_received}};
}

Json JsonOf(const RowCacheUse& c) {
  return {{"rows_served", c.rows_served},
          {"rows_missed", c.rows_missed},
          {"rows_evicted", c.rows_evicted},
          {"bytes", c.bytes}};
}

template <typename Entry>
Json JsonList(const std::vector<Entry>& entries) {
  Json list = Json::array();
  for (const Entry& entry : entries) list.push_back(JsonOf(entry));
  return list;
}

Json RowsByBucket(const RunReport& report) {
  Json list = Json::array();
  for (std::size_t i = 0; i < kCountBucketCount; ++i) {
    list.push_back(Json{{"training_count", std::string(kCountBuckets[i].name)},
                        {"row_count", report.rows_by_bucket[i].row_count},
                        {"bytes", report.rows_by_bucket[i].bytes}});
  }
  return list;
}

}  // namespace

std::string ToJson(const RunReport& report) {
  const Json json{{"format", kReportFormat},
                  {"title", report.title},
                  {"command_line", report.command_line},
                  {"started_utc", report.started_utc},
                  {"settings", JsonList(report.settings)},
                  {"environment", JsonOf(report.environment)},
                  {"data", JsonList(report.data)},
                  {"curve", JsonList(report.curve)},
                  {"splits", JsonList(report.splits)},
                  {"field_name", report.field_name},
                  {"rank_frequency", JsonList(report.rank_frequency)},
                  {"rows_by_bucket", RowsByBucket(report)},
                  {"memory", JsonOf(report.memory)},
                  {"pulls_by_staleness", report.pulls_by_staleness},
                  {"wire", JsonOf(report.wire)},
                  {"row_cache", JsonOf(report.row_cache)},
                  {"checkpoint_path", report.checkpoint_path},
                  {"samples_trained", report.samples_trained},
                  {"train_seconds", report.train_seconds},
                  {"total_seconds", report.total_seconds},
                  {"phases", JsonList(report.phases)}};
  // Text from outside may be no UTF-8, for which dump would throw.
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace longtail::examples
