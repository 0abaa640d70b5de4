// The four questions about a checkpoint are answered with the numbers that a plain map gives.
#include "cli/inspect.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <filesystem>
#include <tuple>

#include <nlohmann/json.hpp>

#include "cli/checkpoint_fixture.h"
#include "protocol/cluster_map.h"

namespace longtail::cli {
namespace {

using nlohmann::json;
using test::Must;
using test::Says;

struct Fixture : test::CheckpointFixture {
  InspectRequest Request(OutputForm form, const std::string& table = "") const {
    return {.checkpoint = checkpoint(), .table = table, .form = form};
  }
  InspectRequest Json(const std::string& table = "") const {
    return Request(OutputForm::kJson, table);
  }
  std::uint64_t Occurrences() const {
    std::uint64_t sum = 0;
    for (const auto& [key, row] : items()) sum += row.count;
    return sum;
  }
};

bool Has(const std::string& text, const std::string& part) {
  INFO(text);
  return text.find(part) != std::string::npos;
}

// One object on one line, and nothing else.
json Parsed(const absl::StatusOr<std::string>& output) {
  const std::string line = Must(output);
  CHECK(std::ranges::count(line, '\n') == 1);
  CHECK(line.ends_with("}\n"));
  return json::parse(line);
}

TEST_CASE_METHOD(Fixture, "inspect table gives rows and occurrences by bucket", "[cli][inspect]") {
  const json answer = Parsed(InspectTable(Json()));

  const json& checkpoint = answer["checkpoint"];
  CHECK(checkpoint["step"] == 8);
  CHECK(checkpoint["step_mode"] == "synchronous");
  CHECK(checkpoint["partitions"] == kPartitions);
  CHECK(checkpoint["sessions"] == 1);
  CHECK(checkpoint["rows"] == items().size() + 1);
  std::uint64_t snapshot_bytes = 0;
  for (const auto& file : std::filesystem::directory_iterator(this->checkpoint())) {
    if (file.path().extension() == ".snapshot") snapshot_bytes += file.file_size();
  }
  CHECK(checkpoint["snapshot_bytes"] == snapshot_bytes);
  REQUIRE(answer["tables"].size() == 3);
  const json& item = answer["tables"][0];
  CHECK(item["name"] == "item");
  CHECK(item["spec"]["dim"] == 2);
  CHECK(item["spec"]["optimizer"]["rule"] == "sgd");
  CHECK(item["rows"] == items().size());
  CHECK(item["occurrences"] == Occurrences());
  CHECK(item["floats_per_row"] == 2);
  CHECK(item["row_bytes"] == items().size() * (8 + 4 + 4 + 2 * 4));
  REQUIRE(item["buckets"].size() == kFrequencyBuckets.size());
  for (std::size_t i = 0; i < kFrequencyBuckets.size(); ++i) {
    CAPTURE(i);
    std::uint64_t rows = 0;
    std::uint64_t occurrences = 0;
    for (const auto& [key, row] : items()) {
      if (BucketOf(row.count) != i) continue;
      ++rows;
      occurrences += row.count;
    }
    CHECK(rows > 0);  // Else the test would say nothing of this bucket.
    const json& bucket = item["buckets"][i];
    CHECK(bucket["name"] == kFrequencyBuckets[i].name);
    CHECK(bucket["rows"] == rows);
    CHECK(bucket["occurrences"] == occurrences);
    CHECK(bucket["rows_share"] == static_cast<double>(rows) / static_cast<double>(items().size()));
  }
  CHECK(answer["tables"][1]["floats_per_row"] == 2);  // A weight and Adagrad's sum.
  CHECK(answer["tables"][2]["rows"] == 0);
}

TEST_CASE_METHOD(Fixture, "inspect table in text names table, rule and sums", "[cli][inspect]") {
  const std::string text = Must(InspectTable(Request(OutputForm::kText, "user")));

  CHECK(Has(text, "checkpoint " + checkpoint() + "\n  step 8, synchronous; saved "));
  CHECK(Has(text, "in 4 partitions, 1 session; "));
  CHECK(Has(text,
            "\ntable user\n  dim 1; adagrad, epsilon 1e-08, initial_accumulator 3.0, "
            "learning_rate 0.5\n  1 row of 2 floats, 24 bytes before compression\n"));
  CHECK(Has(text, "        1     1  100.0 %            1  100.0 %\n"));
  CHECK_FALSE(Has(text, "item"));
}

TEST_CASE_METHOD(Fixture, "inspect key gives every number of a row", "[cli][inspect]") {
  std::vector<Key> keys;
  for (const auto& [key, row] : items()) keys.push_back(key);
  keys.push_back(kAbsent);

  const json answer = Parsed(InspectKey(Json("item"), {.keys = keys}));

  const json& found = answer["tables"].at(0)["keys"];
  REQUIRE(found.size() == keys.size());
  for (std::size_t i = 0; i + 1 < keys.size(); ++i) {
    const test::WantedRow& want = items().at(keys[i]);
    CHECK(found[i] == json{{"key", keys[i]},
                           {"partition", static_cast<unsigned>(PartitionOf(keys[i], kPartitions))},
                           {"has_row", true},
                           {"count", want.count},
                           {"last_step", want.last_step},
                           {"weights", want.weights},
                           {"optimizer_state", json::array()}});
  }
  CHECK(found.back() ==
        json{{"key", kAbsent},
             {"partition", static_cast<unsigned>(PartitionOf(kAbsent, kPartitions))},
             {"has_row", false}});
}

TEST_CASE_METHOD(Fixture, "inspect key asks every table unless one is named", "[cli][inspect]") {
  const json answer = Parsed(InspectKey(Json(), {.keys = {kUser}}));

  REQUIRE(answer["tables"].size() == 3);
  CHECK(answer["tables"][0]["keys"][0]["has_row"] == false);
  const json& row = answer["tables"][1]["keys"][0];
  CHECK(row["count"] == 1);
  CHECK(row["last_step"] == 5);
  CHECK(row["weights"] == json{6.75});  // 7 - 0.5 * 1 / sqrt(3 + 1)
  CHECK(row["optimizer_state"] == json{4.0});
}

TEST_CASE_METHOD(Fixture, "inspect key in text says what is there and what is not",
                 "[cli][inspect]") {
  const std::string text =
      Must(InspectKey(Request(OutputForm::kText, "user"), {.keys = {kUser, kAbsent}}));

  CHECK(Has(text, "  key 42 (0x2a), partition " +
                      std::to_string(static_cast<unsigned>(PartitionOf(kUser, kPartitions))) +
                      "\n    trained 1 time, last in step 5; weight norm 6.75\n"
                      "    1 weight: 6.75\n    1 float of optimizer state: 4\n"));
  CHECK(Has(text, "  key 555 (0x22b), partition " +
                      std::to_string(static_cast<unsigned>(PartitionOf(kAbsent, kPartitions))) +
                      ": no row\n"));
}

TEST_CASE_METHOD(Fixture, "inspect hot gives the keys that sorting all rows gives",
                 "[cli][inspect]") {
  std::vector<std::pair<Key, test::WantedRow>> want(items().begin(), items().end());
  std::ranges::sort(want, [](const auto& a, const auto& b) {
    return std::tuple(b.second.count, a.first) < std::tuple(a.second.count, b.first);
  });
  const std::size_t top = GENERATE(1U, 12U, 10'000U);
  CAPTURE(top);
  want.resize(std::min(top, want.size()));

  const json answer = Parsed(InspectHot(Json("item"), top));

  const json& table = answer["tables"].at(0);
  CHECK(table["rows"] == items().size());
  CHECK(table["occurrences"] == Occurrences());
  REQUIRE(table["keys"].size() == want.size());
  for (std::size_t i = 0; i < want.size(); ++i) {
    const auto& [key, row] = want[i];
    const json& found = table["keys"][i];
    CHECK(found["rank"] == i + 1);
    CHECK(found["key"] == key);
    CHECK(found["count"] == row.count);
    CHECK(found["share"] == static_cast<double>(row.count) / static_cast<double>(Occurrences()));
    CHECK(found["last_step"] == row.last_step);
    CHECK(found["weight_norm"] == std::sqrt(double{row.weights[0]} * double{row.weights[0]} +
                                            double{row.weights[1]} * double{row.weights[1]}));
  }
}

TEST_CASE_METHOD(Fixture, "inspect hot in text has a line for each key", "[cli][inspect]") {
  const std::string text = Must(InspectHot(Request(OutputForm::kText), 1));

  CHECK(Has(text, "\ntable user: the 1 hottest key of 1 have 100.0 % of 1 occurrence\n"));
  CHECK(Has(text, "     1   42      1  100.0 %          5         6.75\n"));
  CHECK(Has(text, "\ntable empty: no rows\n"));
}

TEST_CASE_METHOD(Fixture, "inspect hist gives bins and ranks of all rows", "[cli][inspect]") {
  std::vector<std::uint32_t> counts;
  for (const auto& [key, row] : items()) counts.push_back(row.count);
  std::ranges::sort(counts, std::greater<>());

  const json answer = Parsed(InspectHist(Json("item")));

  const json& table = answer["tables"].at(0);
  std::uint64_t rows = 0;
  for (const json& bin : table["bins"]) {
    CHECK(bin["rows"] == std::ranges::count_if(counts, [&](std::uint32_t count) {
            return bin["count_min"] <= count && count <= bin["count_max"];
          }));
    rows += bin["rows"].get<std::uint64_t>();
  }
  CHECK(rows == counts.size());
  CHECK(table["bins"].front()["count_max"] == 0);
  for (const json& sample : table["ranks"]) {
    CHECK(sample["count"] == counts[sample["rank"].get<std::size_t>() - 1]);
  }
  CHECK(table["ranks"].back() == json{{"rank", counts.size()}, {"count", 0}});
}

TEST_CASE_METHOD(Fixture, "inspect hist in text draws the fullest bin over the whole width",
                 "[cli][inspect]") {
  InspectRequest request = Request(OutputForm::kText, "user");
  CHECK(
      Has(Must(InspectHist(request)), "        1     1  100.0 %  " + std::string(40, '#') + "\n"));
  CHECK(Has(Must(InspectHist(request)), "\n  rank  trained\n     1        1\n"));

  request.bars = BarStyle::kBlocks;
  CHECK(Has(Must(InspectHist(request)), "100.0 %  ████"));
  CHECK(Has(Must(InspectHist(Request(OutputForm::kText, "empty"))),
            "\ntable empty: 0 rows, 0 occurrences\n"));
}

TEST_CASE_METHOD(Fixture, "the same checkpoint gives the same text", "[cli][inspect]") {
  const OutputForm form = GENERATE(OutputForm::kText, OutputForm::kJson);

  CHECK(Must(InspectTable(Request(form))) == Must(InspectTable(Request(form))));
  CHECK(Must(InspectHot(Request(form), 50)) == Must(InspectHot(Request(form), 50)));
  CHECK(Must(InspectHist(Request(form))) == Must(InspectHist(Request(form))));
}

TEST_CASE_METHOD(Fixture, "damage anywhere in a chunk is told with the file, by each of them",
                 "[cli][inspect]") {
  const Key key = items().begin()->first;
  const std::string name = "p0000" +
                           std::to_string(static_cast<unsigned>(PartitionOf(key, kPartitions))) +
                           "-0000.snapshot";
  const std::string bytes = test::ReadWhole(checkpoint() + "/" + name);
  for (std::size_t i = 0; i < 16; ++i) {
    const std::size_t at = i * (bytes.size() - 1) / 15;
    CAPTURE(at);
    std::string damaged = bytes;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x20);
    if (i % 2 == 1) damaged.resize(at);
    test::WriteWhole(checkpoint() + "/" + name, damaged);
    for (const OutputForm form : {OutputForm::kText, OutputForm::kJson}) {
      for (const absl::Status& status :
           {InspectTable(Request(form)).status(), InspectHot(Request(form), 3).status(),
            InspectHist(Request(form)).status(),
            InspectKey(Request(form), {.keys = {key}}).status()}) {
        CHECK(absl::IsDataLoss(status));
        CHECK(Says(status, "step-8/" + name));
      }
    }
  }
}

TEST_CASE_METHOD(Fixture, "a damaged manifest is told with the file", "[cli][inspect]") {
  const std::string file = checkpoint() + "/MANIFEST.json";
  test::WriteWhole(file, test::ReadWhole(file).substr(0, 100));

  CHECK(Says(InspectTable(Json()).status(), "step-8/MANIFEST.json"));
}

}  // namespace
}  // namespace longtail::cli
