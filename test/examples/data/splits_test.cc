#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "memory_files.h"

namespace longtail::examples {
namespace {

using test::Equal;
using test::Files;
using test::In;
using test::NextOf;
using test::OpenReader;
using test::SchemaOf;

// Ten rows in two files; column n is 0..9.
Files TenRows() {
  return {{"a", "y,n,part\n0,0,train\n1,1,test\n0,2,train\n1,3,val\n"},
          {"b", "part,n,y\ntrain,4,1\ntest,5,0\nval,6,1\ntrain,7,0\ntrain,8,1\n,9,0\n"}};
}

Schema SplitSchema(const std::string& split) {
  return SchemaOf(R"({"files": ["a", "b"], "label": "y",
                      "features": [{"column": "n", "type": "numeric"}],
                      "splits": {"all": )" +
                  split + "}}");
}

std::vector<float> Rows(const std::string& split) {
  return NextOf(*OpenReader(SplitSchema(split), "all", In(TenRows())), 100).numeric;
}

TEST_CASE("a split is the rows that pass its conditions", "[examples][splits]") {
  CHECK(Rows("{}").size() == 10);
  CHECK(Rows(R"({"where": [{"column": "part", "equals": "train"}]})") ==
        std::vector<float>{0, 2, 4, 7, 8});
  CHECK(Rows(R"({"where": [{"column": "n", "at_least": 3, "below": 6}]})") ==
        std::vector<float>{3, 4, 5});
  CHECK(Rows(R"({"where": [{"column": "n", "below": 6}, {"column": "y", "equals": "1"}]})") ==
        std::vector<float>{1, 3, 4});
  CHECK(Rows(R"({"files": ["b"], "where": [{"column": "part", "equals": ""}]})") ==
        std::vector<float>{9});
}

TEST_CASE("skip and take count rows that pass", "[examples][splits]") {
  CHECK(Rows(R"({"skip": 3, "take": 4})") == std::vector<float>{3, 4, 5, 6});
  CHECK(Rows(R"({"skip": 1, "take": 2, "where": [{"column": "part", "equals": "train"}]})") ==
        std::vector<float>{2, 4});
  CHECK(Rows(R"({"skip": 99})").empty());
  CHECK(Rows(R"({"take": 0})").empty());
}

TEST_CASE("first and last meet without a gap", "[examples][splits]") {
  CHECK(Rows(R"({"first": 0.9})").size() == 9);
  CHECK(Rows(R"({"last": 0.1})") == std::vector<float>{9});
  const int percent = GENERATE(range(0, 101));
  CAPTURE(percent);

  std::vector<float> both = Rows(absl::StrCat(R"({"first": )", percent / 100.0, "}"));
  const std::vector<float> last = Rows(absl::StrCat(R"({"last": )", (100 - percent) / 100.0, "}"));
  both.insert(both.end(), last.begin(), last.end());

  CHECK(both == Rows("{}"));
}

TEST_CASE("an unknown split, file or condition is refused", "[examples][splits]") {
  const Schema schema = SplitSchema("{}");
  CHECK(ExampleReader::Open(schema, "train", In(TenRows())).status().message() ==
        "schema: no split 'train'; wanted one of all");

  const auto error = [](const std::string& split, Files files) {
    const auto reader = OpenReader(SplitSchema(split), "all", In(std::move(files)));
    Batch batch;
    return std::string(reader->Next(100, batch).message());
  };
  CHECK(error(R"({"files": ["c"]})", TenRows()) == "c: no such file");
  CHECK(error(R"({"where": [{"column": "part", "below": 3}]})", TenRows()) ==
        "a:2:5: column 'part': 'train' cannot be compared; wanted a finite number");
  CHECK(error(R"({"where": [{"column": "when", "below": 3}]})", TenRows()) ==
        "a:1:1: no column 'when', which where needs; wanted it among y, n, part");
}

TEST_CASE("bad lines are counted and passed over if that is wanted", "[examples][splits]") {
  std::string text = "y,n\n";
  for (int i = 0; i < 8; ++i) absl::StrAppend(&text, "1,", i, "\n", "0,bad", i, "\n");
  ReaderOptions options = In({{"f", text}});
  options.on_bad_line = OnBadLine::kSkip;
  const Schema schema = SplitSchema(R"({"files": ["f"]})");
  const auto reader = OpenReader(schema, "all", options);

  const Batch batch = NextOf(*reader, 100);

  CHECK(batch.numeric == std::vector<float>{0, 1, 2, 3, 4, 5, 6, 7});
  CHECK(reader->position().bad_lines == 8);
  CHECK(reader->position().given == 8);
  REQUIRE(reader->bad_line_messages().size() == kBadLineMessagesMax);
  CHECK(reader->bad_line_messages()[4] ==
        "f:11:3: column 'n': 'bad4' is not a number; wanted a finite one or an empty cell");
}

TEST_CASE("an error ends the reader for good", "[examples][splits]") {
  const auto reader =
      OpenReader(SplitSchema(R"({"files": ["f"]})"), "all", In({{"f", "y,n\n1,2\n1,x\n1,3\n"}}));
  Batch batch;

  CHECK_FALSE(reader->Next(5, batch).ok());
  CHECK_FALSE(reader->Next(5, batch).ok());
}

TEST_CASE("a reader opened at a saved position reads the same rest", "[examples][splits]") {
  const std::string split = GENERATE(
      values<std::string>({"{}", R"({"skip": 2, "take": 6})", R"({"last": 0.7})",
                           R"({"where": [{"column": "part", "equals": "train"}], "skip": 1})"}));
  const std::size_t n = GENERATE(range<std::size_t>(1, 11));
  CAPTURE(split, n);
  const auto first = OpenReader(SplitSchema(split), "all", In(TenRows()));
  (void)NextOf(*first, n);
  ReaderOptions options = In(TenRows());
  options.position = first->position();

  const auto second = OpenReader(SplitSchema(split), "all", options);

  CHECK(Equal(NextOf(*second, 100), NextOf(*first, 100)));
  CHECK(second->position() == first->position());
}

TEST_CASE("a position that is not in the data is refused", "[examples][splits]") {
  ReaderOptions options = In(TenRows());
  options.position.file = 3;
  CHECK(ExampleReader::Open(SplitSchema("{}"), "all", options).status().message() ==
        "position: file 3 of split 'all'; wanted at most 2");

  options.position.file = 0;
  options.position.line = 77;
  Batch batch;
  CHECK(OpenReader(SplitSchema("{}"), "all", options)->Next(1, batch).message() ==
        "a: has no line 77 where reading could go on; wanted the file that the position was saved "
        "for");
}

TEST_CASE("a reader that is told to stop says so", "[examples][splits]") {
  std::string text = "y,n\n";
  for (int i = 0; i < 5000; ++i) text += "1,2\n";
  const auto reader = OpenReader(SplitSchema(R"({"files": ["f"]})"), "all", In({{"f", text}}));
  reader->RequestStop();
  Batch batch;

  CHECK(reader->Next(5000, batch).message() == "f: reading was stopped");
}

}  // namespace
}  // namespace longtail::examples
