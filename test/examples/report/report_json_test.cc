#include "examples/common/report/report_json.h"

#include <catch2/catch.hpp>
#include <limits>
#include <nlohmann/json.hpp>

#include "sample_report.h"

namespace longtail::examples {
namespace {

using nlohmann::json;

void CheckMetrics(const json& found, const ClassificationMetrics& want) {
  const auto same = [&](const char* name, const std::optional<double>& value) {
    CAPTURE(name);
    CHECK((value ? found.at(name) == *value : found.at(name).is_null()));
  };
  CHECK(found.at("example_count") == want.example_count);
  CHECK(found.at("positive_count") == want.positive_count);
  same("auc", want.auc);
  same("logloss", want.logloss);
  same("normalized_entropy", want.normalized_entropy);
  same("calibration", want.calibration);
  same("mean_probability", want.mean_probability);
  same("mean_label", want.mean_label);
}

void CheckView(const json& found, const BucketView& want) {
  CHECK(found.at("absent_count") == want.absent_count);
  CheckMetrics(found.at("tail"), want.tail);
  REQUIRE(found.at("buckets").size() == kCountBucketCount);
  for (std::size_t i = 0; i < kCountBucketCount; ++i) {
    CHECK(found.at("buckets")[i].at("training_count") == std::string(kCountBuckets[i].name));
    CheckMetrics(found.at("buckets")[i], want.buckets[i]);
  }
}

void CheckNamed(const json& found, const std::vector<NamedValue>& want) {
  REQUIRE(found.size() == want.size());
  for (std::size_t i = 0; i < want.size(); ++i) {
    CHECK(found[i].at("name") == want[i].name);
    CHECK(found[i].at("value") == want[i].value);
  }
}

TEST_CASE("the JSON holds the run's words, sizes and times", "[report][json]") {
  const RunReport report = test::SampleReport();
  const json found = json::parse(ToJson(report));

  CHECK(found.size() == 21);
  CHECK(found.at("format") == kReportFormat);
  CHECK(found.at("title") == report.title);
  CHECK(found.at("command_line") == report.command_line);
  CHECK(found.at("started_utc") == report.started_utc);
  CheckNamed(found.at("settings"), report.settings);
  CheckNamed(found.at("data"), report.data);
  CHECK(found.at("field_name") == report.field_name);
  CHECK(found.at("pulls_by_staleness") == json{17'901, 8'953, 2});
  CHECK(found.at("wire") == json{{"steps", 1000},
                                 {"bytes_sent", 52'000'000},
                                 {"bytes_received", 41'000'000},
                                 {"key_bytes_sent", 20'000'000},
                                 {"value_bytes_sent", 30'000'000},
                                 {"value_bytes_received", 39'000'000}});
  CHECK(found.at("row_cache") == json{{"rows_served", 300'000},
                                      {"rows_missed", 100'000},
                                      {"rows_evicted", 7'000},
                                      {"bytes", 16'777'000}});
  CHECK(found.at("checkpoint_path") == report.checkpoint_path);
  CHECK(found.at("samples_trained") == report.samples_trained);
  CHECK(found.at("train_seconds") == report.train_seconds);
  CHECK(found.at("total_seconds") == report.total_seconds);
  REQUIRE(found.at("phases").size() == report.phases.size());
  CHECK(found.at("phases")[2] == json{{"name", "evaluate"}, {"seconds", 46.4}});
  const json& environment = found.at("environment");
  CHECK(environment.size() == 9);
  CHECK(environment.at("machine") == report.environment.machine);
  CHECK(environment.at("operating_system") == report.environment.operating_system);
  CHECK(environment.at("cpu_model") == report.environment.cpu_model);
  CHECK(environment.at("core_count") == report.environment.core_count);
  CHECK(environment.at("memory_bytes") == report.environment.memory_bytes);
  CHECK(environment.at("compiler") == report.environment.compiler);
  CHECK(environment.at("build_type") == report.environment.build_type);
  CHECK(environment.at("blas") == report.environment.blas);
  CHECK(environment.at("version") == report.environment.version);
  CHECK(found.at("memory") == json{{"weight_bytes", report.memory.weight_bytes},
                                   {"state_bytes", report.memory.state_bytes},
                                   {"header_bytes", report.memory.header_bytes},
                                   {"index_bytes", report.memory.index_bytes}});
}

TEST_CASE("the JSON holds every point of the curve and of the tail", "[report][json]") {
  const RunReport report = test::SampleReport();
  const json found = json::parse(ToJson(report));

  REQUIRE(found.at("curve").size() == report.curve.size());
  for (const std::size_t i : {std::size_t{7}, std::size_t{59}}) {  // Without, with validation.
    const CurvePoint& want = report.curve[i];
    const json& point = found.at("curve")[i];
    CHECK(point.size() == 9);
    CHECK(point.at("samples_seen") == want.samples_seen);
    CHECK(point.at("seconds") == want.seconds);
    CHECK(point.at("train_loss") == *want.train_loss);
    CHECK(point.at("streaming_auc") == *want.streaming_auc);
    CHECK(point.at("validation_auc").is_null() == !want.validation_auc.has_value());
    CHECK(point.at("samples_per_second") == want.samples_per_second);
    CHECK(point.at("row_count") == want.row_count);
    CHECK(point.at("memory_bytes") == want.memory_bytes);
  }
  CHECK(found.at("curve")[59].at("validation_auc") == *report.curve[59].validation_auc);
  CHECK(found.at("curve")[59].at("validation_logloss") == *report.curve[59].validation_logloss);
  REQUIRE(found.at("rank_frequency").size() == report.rank_frequency.size());
  for (std::size_t i = 0; i < report.rank_frequency.size(); i += 101) {
    CHECK(found.at("rank_frequency")[i].at("count") == report.rank_frequency[i].count);
    CHECK(found.at("rank_frequency")[i].at("row_count") == report.rank_frequency[i].row_count);
  }
  REQUIRE(found.at("rows_by_bucket").size() == kCountBucketCount);
  for (std::size_t i = 0; i < kCountBucketCount; ++i) {
    const json& bucket = found.at("rows_by_bucket")[i];
    CHECK(bucket.at("training_count") == std::string(kCountBuckets[i].name));
    CHECK(bucket.at("row_count") == report.rows_by_bucket[i].row_count);
    CHECK(bucket.at("bytes") == report.rows_by_bucket[i].bytes);
  }
}

TEST_CASE("the JSON holds each split's metrics, by bucket too", "[report][json]") {
  RunReport report = test::SampleReport();
  report.splits[0].evaluation.groups.reset();
  report.splits[0].evaluation.by_field.reset();
  const json found = json::parse(ToJson(report)).at("splits");

  REQUIRE(found.size() == 3);
  CHECK(found[0].at("groups").is_null());
  CHECK(found[0].at("by_field").is_null());
  const SplitResult& want = report.splits[2];
  CHECK(found[2].at("name") == want.name);
  CHECK(found[2].at("seconds") == want.seconds);
  CheckMetrics(found[2].at("overall"), want.evaluation.overall);
  CHECK(found[2].at("groups") == json{{"auc", *want.evaluation.groups->value},
                                      {"group_count", want.evaluation.groups->group_count},
                                      {"one_class_count", want.evaluation.groups->one_class_count},
                                      {"example_count", want.evaluation.groups->example_count}});
  CheckView(found[2].at("by_rarest"), *want.evaluation.by_rarest);
  CheckView(found[2].at("by_field"), *want.evaluation.by_field);
}

TEST_CASE("text that is no UTF-8 and numbers that are none still make JSON", "[report][json]") {
  RunReport report;
  report.title = "\xFF\"\n\x01";
  report.curve.push_back({.samples_seen = 3,
                          .seconds = std::numeric_limits<double>::infinity(),
                          .train_loss = std::numeric_limits<double>::quiet_NaN()});

  const json found = json::parse(ToJson(report));

  CHECK(found.at("title") == "\xEF\xBF\xBD\"\n\x01");
  CHECK(found.at("curve")[0].at("seconds").is_null());
  CHECK(found.at("curve")[0].at("train_loss").is_null());
  CHECK(found.at("settings") == json::array());
}

}  // namespace
}  // namespace longtail::examples
