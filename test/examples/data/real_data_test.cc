#include <catch2/catch.hpp>
#include <numeric>
#include <string>
#include <unordered_set>
#include <vector>

#include "memory_files.h"

namespace longtail::examples {
namespace {

using test::DataDirectory;

Batch ReadSplit(const std::string& text, const std::string& directory, const std::string& split) {
  Schema schema = test::SchemaOf(text);
  schema.directory = directory;
  return test::NextOf(*test::OpenReader(schema, split, {}), 1 << 21);
}

double PositiveRate(const Batch& batch) {
  return std::accumulate(batch.labels.begin(), batch.labels.end(), 0.0) /
         static_cast<double>(batch.size);
}

TEST_CASE("the hashed Criteo sample has the rows and ids that its page says",
          "[examples][data][real]") {
  const auto directory = DataDirectory();
  if (!directory.has_value()) return;
  constexpr char kSchema[] = R"({
    "format": "tsv", "header": false, "columns": ["label", "I1..I13", "C1..C26"],
    "label": "label", "features": ["I1..I13", "C1..C26"], "files": ["train.tsv.gz"],
    "splits": {"train": {}, "fit": {"first": 0.9}, "tune": {"last": 0.1},
               "test": {"files": ["test.tsv.gz"]}}})";

  const Batch train = ReadSplit(kSchema, *directory + "/criteo-dac", "train");
  CHECK(train.size == 51'200);
  CHECK(PositiveRate(train) == Approx(0.2244).margin(0.00005));
  CHECK(std::unordered_set<Key>(train.keys.begin(), train.keys.end()).size() == 165'394);
  CHECK(static_cast<double>(train.keys.size()) / 51'200 == Approx(33.45).margin(0.005));
  CHECK(ReadSplit(kSchema, *directory + "/criteo-dac", "fit").size == 46'080);
  CHECK(ReadSplit(kSchema, *directory + "/criteo-dac", "tune").size == 5'120);
  const Batch test = ReadSplit(kSchema, *directory + "/criteo-dac", "test");
  CHECK(test.size == 12'800);
  CHECK(PositiveRate(test) == Approx(0.2277).margin(0.00005));
}

TEST_CASE("raw Criteo lines have the labels of the hashed ones", "[examples][data][real]") {
  const auto directory = DataDirectory();
  if (!directory.has_value()) return;
  const Batch raw = ReadSplit(
      R"({"format": "criteo", "integers": "both", "splits": {"all": {"files":
          ["raw-head-10k.tsv.gz"]}}})",
      *directory + "/criteo-dac", "all");
  const Batch hashed = ReadSplit(
      R"({"format": "tsv", "header": false, "columns": ["label", "I1..I13", "C1..C26"],
          "label": "label", "features": ["I1..I13", "C1..C26"],
          "splits": {"all": {"files": ["train.tsv.gz"], "take": 10000}}})",
      *directory + "/criteo-dac", "all");

  REQUIRE(raw.size == 10'000);
  CHECK(raw.labels == hashed.labels);
  CHECK(raw.offsets == hashed.offsets);  // The same cells are missing.
  CHECK(raw.numeric.size() == 130'000);
}

TEST_CASE("Frappe has the rows that its page says", "[examples][data][real]") {
  const auto directory = DataDirectory();
  if (!directory.has_value()) return;
  constexpr char kSchema[] = R"({
    "format": "libsvm", "fields": 10, "group": "user",
    "columns": ["user", "item", "daytime", "weekday", "isweekend", "homework", "cost", "weather",
                "country", "city"],
    "splits": {"train": {"files": ["frappe.train.rebuilt.libfm.gz"]},
               "validation": {"files": ["frappe.validation.libfm.gz"]},
               "test": {"files": ["frappe.test.libfm.gz"]}}})";

  const Batch train = ReadSplit(kSchema, *directory + "/frappe", "train");
  CHECK(train.size == 202'005);
  CHECK(train.keys.size() == 2'020'050);
  CHECK(train.groups.size() == train.size);
  CHECK(PositiveRate(train) == Approx(67'598.0 / 202'005).epsilon(1e-9));
  CHECK(ReadSplit(kSchema, *directory + "/frappe", "validation").size == 57'722);
  CHECK(ReadSplit(kSchema, *directory + "/frappe", "test").size == 28'860);
}

TEST_CASE("MovieLens 1M has the rows that its page says", "[examples][data][real]") {
  const auto directory = DataDirectory();
  if (!directory.has_value()) return;
  constexpr char kSchema[] = R"({
    "format": "tsv", "files": ["interactions.tsv.gz"], "label": "like", "group": "user",
    "features": ["user", "movie", "gender", "age", "occupation",
                 {"column": "genres", "separator": "|"},
                 {"column": "title", "field": "year", "extract": "\\(([0-9]{4})\\)$"}],
    "joins": [
      {"file": "users.dat.gz", "format": "delimited", "separator": "::", "header": false,
       "columns": ["id", "gender", "age", "occupation", "zip"],
       "on": {"example": "user", "side": "id"}, "add": ["gender", "age", "occupation"]},
      {"file": "movies.dat.gz", "format": "delimited", "separator": "::", "header": false,
       "columns": ["id", "title", "genres"],
       "on": {"example": "movie", "side": "id"}, "add": ["title", "genres"]}],
    "splits": {"train": {"where": [{"column": "split", "equals": "train"}]},
               "validation": {"where": [{"column": "split", "equals": "val"}]},
               "test": {"where": [{"column": "split", "equals": "test"}]}}})";

  const Batch train = ReadSplit(kSchema, *directory + "/movielens-1m", "train");
  CHECK(train.size == 800'167);
  CHECK(PositiveRate(train) == Approx(0.579).margin(0.0005));
  for (const std::size_t field : std::vector<std::size_t>{2, 3, 4, 5, 6}) {
    CHECK_FALSE(test::KeysOf(train, 12'345, field).empty());
  }
  CHECK(ReadSplit(kSchema, *directory + "/movielens-1m", "validation").size == 100'021);
  CHECK(ReadSplit(kSchema, *directory + "/movielens-1m", "test").size == 100'021);
}

}  // namespace
}  // namespace longtail::examples
