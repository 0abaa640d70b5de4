#include <catch2/catch.hpp>
#include <string>

#include "examples/common/data/schema_json.h"
#include "memory_files.h"

namespace longtail::examples {
namespace {

using test::SchemaError;
using test::SchemaOf;

TEST_CASE("a schema may hold comments and ranges of columns", "[examples][schema]") {
  const Schema schema = SchemaOf(R"({
    "format": "tsv", "header": false,
    "columns": ["label", "I1..I3", "C9..C11"],  // Seven of them.
    "label": "label",
    "features": [{"column": "I1..I3", "type": "numeric"}, "C9..C11"],
    "splits": {"all": {"files": ["a"]}}
  })");

  CHECK(schema.table.columns ==
        std::vector<std::string>{"label", "I1", "I2", "I3", "C9", "C10", "C11"});
  CHECK(LayoutOf(schema).numeric_names == std::vector<std::string>{"I1", "I2", "I3"});
  CHECK(LayoutOf(schema).field_names == std::vector<std::string>{"C9", "C10", "C11"});
}

TEST_CASE("the Criteo format is buckets, numbers or both", "[examples][schema]") {
  const auto layout = [](const std::string& integers) {
    return LayoutOf(SchemaOf(R"({"format": "criteo", "integers": ")" + integers +
                             R"(", "splits": {"all": {"files": ["a"]}}})"));
  };

  CHECK(layout("buckets").numeric_count() == 0);
  CHECK(layout("buckets").field_count() == 39);
  CHECK(layout("log1p").numeric_count() == 13);
  CHECK(layout("log1p").field_count() == 26);
  CHECK(layout("both").numeric_count() == 13);
  CHECK(layout("both").field_count() == 39);
}

struct Refused {
  const char* text;
  const char* message;
};

TEST_CASE("a schema that is wrong is refused with the key and what was wanted",
          "[examples][schema]") {
  const auto [text, message] = GENERATE(values<Refused>({
      {R"([1])", "s.json: is array; wanted an object"},
      {R"({"lable": "x"})",
       "s.json: unknown key 'lable'; wanted one of columns, features, files, "
       "format, group, header, joins, label, separator, splits"},
      {R"({"format": "xml"})",
       "s.json: key 'format': 'xml'; wanted csv, tsv, delimited, libsvm or "
       "criteo"},
      {R"({"header": 3})", "s.json: key 'header': is number; wanted true or false"},
      {R"({"columns": ["a"]})",
       "s.json: key 'columns': given although there is a header; wanted \"header\": false"},
      {R"({"header": false, "columns": ["a..b"]})",
       "s.json: key 'columns': column range 'a..b': wanted a form like 'C1..C26', with at most "
       "4096 "
       "names"},
      {R"({"header": false, "label": "x"})",
       "s.json: schema: table: columns: none; wanted their names, since there is no header"},
      {R"({"header": false, "columns": ["a", "a"]})",
       "s.json: schema: table: column 'a' is named twice; wanted it once"},
      {R"({"format": "delimited"})",
       "s.json: schema: table: separator '': wanted at least one byte"},
      {R"({"separator": "\""})",
       "s.json: schema: table: separator '\"': wanted no quote and no line break in it"},
      {R"({"features": ["a"]})", "s.json: schema: label: column '': wanted a column's name"},
      {R"({"label": "x"})", "s.json: schema: features: none; wanted at least one"},
      {R"({"label": {"column": "x", "over": 3}})",
       "s.json: label: unknown key 'over'; wanted one of at_least, column, positive"},
      {R"({"label": {"column": "x", "at_least": 3, "positive": ["5"]}, "features": ["a"]})",
       "s.json: schema: label: at_least and positive together; wanted one of them"},
      {R"({"label": "x", "features": ["a", "a"]})",
       "s.json: schema: feature 'a': two features have this name; wanted different values of "
       "\"field\""},
      {R"({"label": "x", "features": [{"column": "a", "typ": "numeric"}]})",
       "s.json: features[0]: unknown key 'typ'; wanted one of bucket, column, extract, field, "
       "lower_case, missing_key, separator, type"},
      {R"({"label": "x", "features": [{"column": "a", "type": "text"}]})",
       "s.json: features[0]: key 'type': 'text'; wanted categorical or numeric"},
      {R"({"label": "x",
           "features": ["b", {"column": "a", "type": "numeric", "transform": "log"}]})",
       "s.json: features[1]: key 'transform': 'log'; wanted none, log1p or standardise"},
      {R"({"label": "x", "features": [{"column": "a", "type": "numeric", "std": 0}]})",
       "s.json: schema: feature 'a': std 0: wanted a finite mean, missing value and std above 0"},
      {R"({"label": "x", "features": [{"column": "a", "bucket": [1, 1]}]})",
       "s.json: schema: feature 'a': bucket: boundaries are not ascending; wanted each above the "
       "one before"},
      {R"({"label": "x", "features": [{"column": "a", "bucket": "ln"}]})",
       "s.json: features[0]: key 'bucket': wanted \"log_square\" or a list of boundaries"},
      {R"({"label": "x", "features": [{"column": "C1..C3", "field": "c"}]})",
       "s.json: features[0]: key 'field': given with a range; wanted it with one column"},
      {R"({"label": "x", "features": ["a"], "joins": [{"file": "m", "on": "a", "add": ["t"],
           "as_of": "time"}]})",
       "s.json: schema: join 'm': as_of without \"many\": true; wanted both"},
      {R"({"label": "x", "features": ["a"], "joins": [{"file": "m", "on": "a"}]})",
       "s.json: schema: join 'm': add: empty; wanted the columns it adds"},
      {R"({"label": "x", "features": ["a"], "joins": [{"file": "m", "add": ["t"]}]})",
       "s.json: schema: join 'm': on: empty; wanted the column that both files have"},
      {R"({"label": "x", "features": ["a"], "splits": {"t": {}}})",
       "s.json: schema: split 't': files: none; wanted at least one"},
      {R"({"label": "x", "features": ["a"], "files": ["f"], "splits": {"t": {"skip": -1}}})",
       "s.json: splits.t: key 'skip': is number; wanted a whole number, 0 or more"},
      {R"({"label": "x", "features": ["a"], "files": ["f"], "splits": {"t": {"last": 1.5}}})",
       "s.json: schema: split 't': fraction 1.5: wanted 0..1"},
      {R"({"label": "x", "features": ["a"], "files": ["f"],
           "splits": {"t": {"last": 0.5, "skip": 3}}})",
       "s.json: schema: split 't': wanted one of first, last, or skip and take; found more"},
      {R"({"label": "x", "features": ["a"], "files": ["f"],
           "splits": {"t": {"where": [{"column": "c"}]}}})",
       "s.json: schema: split 't': where: column 'c': no test; wanted equals, at_least or below"},
      {R"({"format": "libsvm", "fields": 2, "columns": ["a"]})",
       "s.json: key 'columns': 1 names for 2 fields; wanted one each"},
      {R"({"format": "libsvm", "fields": 2, "group": "user"})",
       "s.json: schema: group: 'user' is no field; wanted one of fields"},
      {R"({"format": "criteo", "integers": "raw"})",
       "s.json: key 'integers': 'raw'; wanted buckets, log1p or both"},
  }));

  CHECK(SchemaError(text) == message);
}

TEST_CASE("text that is not JSON is refused with its line and column", "[examples][schema]") {
  CHECK_THAT(SchemaError("{\n  \"label\" 3}"),
             Catch::StartsWith("s.json: not JSON:") && Catch::Contains("line 2, column 11"));
  CHECK(LoadSchema("/nowhere/schema.json").status().message() ==
        "/nowhere/schema.json: cannot be opened; wanted a schema file");
}

}  // namespace
}  // namespace longtail::examples
