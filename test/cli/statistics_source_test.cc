// What a cluster at work has written of itself is shown as it is.
#include "cli/statistics_source.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <string>

#include <nlohmann/json.hpp>

#include "cli/checkpoint_fixture.h"
#include "cli/inspect.h"

namespace longtail::cli {
namespace {

using nlohmann::json;
using test::Must;
using test::Says;

// A table of 30 keys in 4 partitions, key k trained k times and pulled 10 times, and an empty one;
// a key without a row pulled 60 times.
struct Fixture {
  static constexpr Key kKeys = 30;

  Fixture() {
    const auto cluster = Must(Cluster::Embedded({.lanes = 2, .partitions = 4}));
    const TableId item = Must(cluster->CreateTable(test::ExactSpec("item", 2)));
    Must(cluster->CreateTable(test::ExactSpec("empty", 3)));
    const auto worker = Must(cluster->Connect());
    std::vector<Key> keys;
    for (Key key = 1; key <= kKeys; ++key) {
      for (Key i = 0; i < key; ++i) keys.push_back(key);
    }
    Must(worker->Push(item, keys, std::vector<float>(2 * keys.size(), 0.5F)));
    for (int i = 0; i < 10; ++i) {
      for (Key key = 1; key <= kKeys; ++key) test::Rows(*worker, item, {key}, 2);
      for (int k = 0; k < 6; ++k) test::Rows(*worker, item, {999}, 2);
    }
    reports = Must(cluster->AllStatistics());
    Must(WriteStatisticsFile(path(), 7, reports));
  }
  std::string path() const { return directory.path() + "/run/statistics.json"; }
  InspectRequest Request(OutputForm form, const std::string& table = "") const {
    return {.checkpoint = path(), .table = table, .form = form};
  }
  json Json(const absl::StatusOr<std::string>& line) const { return json::parse(Must(line)); }

  const test::ScratchDirectory directory;
  std::vector<TableReport> reports;
};

TEST_CASE_METHOD(Fixture, "a statistics file holds what the cluster said",
                 "[cli][statistics_source]") {
  CHECK(IsStatisticsFile(path()));
  CHECK(IsStatisticsFile("file:" + path()));
  CHECK_FALSE(IsStatisticsFile(directory.path()));
  CHECK_FALSE(IsStatisticsFile(path() + "x"));

  const StatisticsSource source = Must(OpenStatistics("file:" + path(), ""));

  CHECK(source.file.step == 7);
  CHECK(source.file.tables == reports);
  REQUIRE(source.selected.size() == 2);
  CHECK(source.table(1).spec.name == "empty");
  CHECK(Must(OpenStatistics(path(), "empty")).selected == std::vector<std::size_t>{1});
  CHECK(Says(OpenStatistics(path(), "user").status(), "have [item, empty]"));
  // Nothing is left beside it.
  const std::filesystem::directory_iterator files(std::filesystem::path(path()).parent_path());
  CHECK(std::distance(files, std::filesystem::directory_iterator()) == 1);
}

TEST_CASE_METHOD(Fixture, "inspect table shows the rows and uses of a statistics file",
                 "[cli][statistics_source]") {
  const json answer = Json(InspectTable(Request(OutputForm::kJson)));

  CHECK(answer["statistics"]["step"] == 7);
  CHECK(answer["statistics"]["address"] == path());
  const json& item = answer["tables"][0];
  CHECK(item["name"] == "item");
  CHECK(item["rows"] == 30);
  CHECK(item["occurrences"] == 30 * 31 / 2);
  CHECK(item["pulls"] == 360);
  CHECK(item["pushes"] == 30);
  CHECK(item["distinct_keys"] == 31);
  const std::vector<int> rows = {0, 1, 3, 5, 21, 0};
  const std::vector<int> pulls = {60, 10, 30, 50, 210, 0};
  for (std::size_t i = 0; i < 6; ++i) {
    CAPTURE(i);
    CHECK(item["buckets"][i]["rows"] == rows[i]);
    CHECK(item["buckets"][i]["pulls"] == pulls[i]);
  }
  CHECK(answer["tables"][1]["rows"] == 0);

  const std::string text = Must(InspectTable(Request(OutputForm::kText, "item")));
  INFO(text);
  CHECK(text.find("step 7; written 2") != std::string::npos);
  CHECK(text.find("\n  30 rows, 0 in the tail; about 31 keys seen\n") != std::string::npos);
  CHECK(text.find("360 keys pulled, 30 pushed") != std::string::npos);
  CHECK(text.find("table empty") == std::string::npos);
  CHECK(text.find("      5-9     5   16.7 %           35    7.5 %     50   13.9 %\n") !=
        std::string::npos);
}

TEST_CASE_METHOD(Fixture,
                 "inspect hot shows the hot keys of a statistics file, inspect hist its "
                 "counts",
                 "[cli][statistics_source]") {
  const json hot = Json(InspectHot(Request(OutputForm::kJson), 3));
  const std::vector<HotKeyCount>& want = reports[0].statistics.hot_keys;
  REQUIRE(want.size() > 3);
  REQUIRE(hot["tables"][0]["keys"].size() == 3);
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(hot["tables"][0]["keys"][i]["key"] == want[i].key);
    CHECK(hot["tables"][0]["keys"][i]["uses"] == want[i].count);
    CHECK(hot["tables"][0]["keys"][i]["error"] == want[i].error);
  }
  const std::string text = Must(InspectHot(Request(OutputForm::kText), 2));
  INFO(text);
  CHECK(text.find("table item: the 2 hottest keys of about 31") != std::string::npos);
  CHECK(text.find("table empty: no uses seen\n") != std::string::npos);

  const json hist = Json(InspectHist(Request(OutputForm::kJson, "item")));
  CHECK(hist["tables"][0]["rows"] == 30);
  CHECK(hist["tables"][0]["bins"][4]["rows"] == 15);  // 16 to 30.
  CHECK(hist["tables"][0]["ranks"][1]["count"] == 29);
}

TEST_CASE_METHOD(Fixture, "inspect key wants a checkpoint and says so",
                 "[cli][statistics_source]") {
  const absl::Status status = InspectKey(Request(OutputForm::kText), {.keys = {7}}).status();
  CHECK(absl::IsInvalidArgument(status));
  CHECK(Says(status, "Keys need a checkpoint"));
  CHECK(Says(status, "MANIFEST.json"));
}

TEST_CASE_METHOD(Fixture, "a file that holds no statistics is refused",
                 "[cli][statistics_source]") {
  const auto write = [&](const std::string& text) {
    std::ofstream(path(), std::ios::binary | std::ios::trunc) << text;
  };
  write("");
  CHECK(Says(InspectTable(Request(OutputForm::kText)).status(), "cut short or damaged"));
  write("{\"format\": \"something\"}");
  CHECK(Says(InspectHot(Request(OutputForm::kText), 3).status(),
             "format: is 'something', not 'longtail-statistics'"));
  write(
      "\x7f"
      "ELF");
  CHECK(absl::IsDataLoss(InspectHist(Request(OutputForm::kJson)).status()));
}

TEST_CASE("statistics are not written where they cannot be", "[cli][statistics_source]") {
  const test::ScratchDirectory directory;
  std::ofstream(directory.path() + "/file") << "x";
  CHECK_FALSE(WriteStatisticsFile(directory.path() + "/file/statistics.json", 1, {}).ok());
  CHECK(absl::IsInvalidArgument(WriteStatisticsFile(directory.path() + "/a b", 1, {})));
  CHECK(absl::IsInvalidArgument(WriteStatisticsFile(directory.path() + "/", 1, {})));
  CHECK(absl::IsInvalidArgument(WriteStatisticsFile("", 1, {})));
}

}  // namespace
}  // namespace longtail::cli
