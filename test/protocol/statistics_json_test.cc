#include "protocol/statistics_json.h"

#include <catch2/catch.hpp>
#include <functional>
#include <string>

#include <nlohmann/json.hpp>

#include "protocol/format_limits.h"
#include "protocol/sample_messages.h"
#include "protocol/sample_stored.h"

namespace longtail {
namespace {

using nlohmann::json;

StatisticsFile Sample() {
  TableReport table{.spec = test::SampleLaterSpec(), .statistics = {}};
  for (const test::NamedMessage& sample : test::SampleMessages()) {
    if (const auto* reply = std::get_if<StatisticsReply>(&sample.message)) {
      table.statistics = reply->statistics;
    }
  }
  table.statistics.rows = 0;
  for (const auto& [count, rows] : table.statistics.rows_by_count) table.statistics.rows += rows;
  StatisticsFile file{.created_at = "2026-11-24T19:37:23Z",
                      .library_version = "0.1.0",
                      .step = 316,
                      .tables = {table, table}};
  file.tables[1].spec.name = "other";
  file.tables[1].statistics = {};
  return file;
}

TEST_CASE("a statistics file is read as it was written", "[protocol][statistics_json]") {
  const StatisticsFile want = Sample();
  REQUIRE(want.tables[0].statistics.hot_keys.size() == 2);

  const auto got = DecodeStatisticsFile("f", EncodeStatisticsFile(want));

  INFO(got.status().ToString());
  REQUIRE(got.ok());
  CHECK(got->created_at == want.created_at);
  CHECK(got->library_version == want.library_version);
  CHECK(got->step == 316);
  CHECK(got->tables == want.tables);
}

TEST_CASE("fields of a statistics file that are not known are ignored",
          "[protocol][statistics_json]") {
  json document = json::parse(EncodeStatisticsFile(Sample()));
  document["later"] = 7;
  document["tables"][0]["statistics"]["later"] = {1, 2};
  const auto got = DecodeStatisticsFile("f", document.dump());
  REQUIRE(got.ok());
  CHECK(got->tables == Sample().tables);
}

TEST_CASE("what is wrong with a statistics file is said", "[protocol][statistics_json]") {
  struct Case {
    std::string says;
    std::function<void(json&)> damage;
  };
  const auto statistics = [](json& document) -> json& {
    return document["tables"][0]["statistics"];
  };
  const std::vector<Case> cases = {
      {"format: is 'longtail-checkpoint', not",
       [](json& d) { d["format"] = "longtail-checkpoint"; }},
      {"version: 2 is newer than 1", [](json& d) { d["version"] = 2; }},
      {"want an object", [](json& d) { d = json::array(); }},
      {"step", [](json& d) { d["step"] = -1; }},
      {"tables[0].dim", [](json& d) { d["tables"][0]["dim"] = 0; }},
      {"tables[0].statistics", [](json& d) { d["tables"][0].erase("statistics"); }},
      {"pulls", [&](json& d) { statistics(d).erase("pulls"); }},
      {"pulls_by_bucket: has 5 buckets: want 6",
       [&](json& d) { statistics(d)["pulls_by_bucket"].erase(5); }},
      {"pulls_by_bucket[1].count_min",
       [&](json& d) { statistics(d)["pulls_by_bucket"][1]["count_min"] = 2; }},
      {"hot_keys[0].error", [&](json& d) { statistics(d)["hot_keys"][0]["error"] = 121; }},
      {"hot_keys",
       [&](json& d) {
         for (int i = 0; i < 64; ++i) statistics(d)["hot_keys"].push_back({{"key", i}});
       }},
      {"rows_by_count[1].count: does not ascend",
       [&](json& d) { statistics(d)["rows_by_count"][1]["count"] = 1; }},
      {"rows_by_count[2].rows", [&](json& d) { statistics(d)["rows_by_count"][2]["rows"] = 3; }},
      {"rows_by_count: is 1 rows short of 62",
       [&](json& d) { statistics(d)["rows_by_count"][2]["rows"] = 1; }},
  };
  for (const Case& bad : cases) {
    CAPTURE(bad.says);
    json document = json::parse(EncodeStatisticsFile(Sample()));
    bad.damage(document);
    const absl::Status status = DecodeStatisticsFile("f", document.dump()).status();
    CAPTURE(status.ToString());
    CHECK(absl::IsInvalidArgument(status));
    CHECK(status.ToString().find("statistics 'f'") != std::string::npos);
    CHECK(status.ToString().find(bad.says) != std::string::npos);
  }
}

TEST_CASE("no part of a statistics file is taken for the whole", "[protocol][statistics_json]") {
  const std::string text = EncodeStatisticsFile(Sample());
  for (std::size_t size = 0; size + 2 < text.size(); size += 7) {
    CAPTURE(size);
    REQUIRE(absl::IsDataLoss(DecodeStatisticsFile("f", text.substr(0, size)).status()));
  }
  CHECK(absl::IsDataLoss(DecodeStatisticsFile("f", std::string(1000, '[')).status()));
}

}  // namespace
}  // namespace longtail
