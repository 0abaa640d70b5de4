#include "examples/recommender/dataset.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "examples/recommender/small_data.h"

namespace longtail::examples::recommender {
namespace {

using test::Need;
using test::TemporaryDirectory;

const FileFormat kRatings = {.separator = ",",
                             .header = true,
                             .user_column = 1,
                             .item_column = 2,
                             .rating_column = 3,
                             .time_column = 4};

TEST_CASE("columns are read in the order of lines", "[examples][recommender][dataset]") {
  const TemporaryDirectory directory;
  const std::string path =
      directory.Write("r.csv",
                      "userId,movieId,rating,timestamp\nann,7,4.5,100\r\nbob,7,1,-5\n"
                      "ann,\"9,9\",3,200");
  Names names;
  const auto read = Need(ReadInteractions(path, kRatings, OnBadLine::kFail, names));
  const std::vector<Interaction> want = {{.user = 0, .item = 0, .rating = 4.5F, .time = 100},
                                         {.user = 1, .item = 0, .rating = 1, .time = -5},
                                         {.user = 0, .item = 1, .rating = 3, .time = 200}};
  CHECK(read == want);
  CHECK(names.users.name(1) == "bob");
  CHECK(names.items.name(1) == "9,9");
  CHECK(names.items.Find("7") == 0U);
  CHECK_FALSE(names.items.Find("8"));
}

TEST_CASE("lists are read, also those without items or with spaces behind",
          "[examples][recommender][dataset]") {
  const TemporaryDirectory directory;
  const std::string path = directory.Write("l.txt", "0 3 4 \n1\n2 4\n");
  Names names;
  const auto read =
      Need(ReadInteractions(path, {.layout = FileLayout::kLists}, OnBadLine::kFail, names));
  const std::vector<Interaction> want = {
      {.user = 0, .item = 0}, {.user = 0, .item = 1}, {.user = 2, .item = 1}};
  CHECK(read == want);
  CHECK(names.users.size() == 3);
}

TEST_CASE("a bad line is an error that names it, or is left out and counted",
          "[examples][recommender][dataset]") {
  struct Case {
    std::string line;
    std::string message;
  };
  const Case bad =
      GENERATE(values<Case>({{"ann,7,good,100", ":3:7: rating 'good': wanted a number"},
                             {"ann,7,4,noon", ":3:9: time 'noon': wanted a whole number"},
                             {"ann,7,4", ":3:8: no column 4 (time): the line has 3"},
                             {",7,4,100", ":3:1: the user is empty"},
                             {"ann,,4,100", ":3:5: the item is empty"},
                             {"ann,7,nan,100", ":3:7: rating 'nan': wanted a number"}}));
  const TemporaryDirectory directory;
  const std::string path = directory.Write(
      "r.csv", "userId,movieId,rating,timestamp\nbob,1,2,3\n" + bad.line + "\nbob,2,2,4\n");
  Names names;
  const auto refused = ReadInteractions(path, kRatings, OnBadLine::kFail, names);
  CHECK(refused.status().code() == absl::StatusCode::kInvalidArgument);
  CHECK(refused.status().message() == path + bad.message);

  Names others;
  CHECK(Need(ReadInteractions(path, kRatings, OnBadLine::kSkip, others)).size() == 2);
  CHECK(others.bad_lines.count == 1);
  CHECK(others.bad_lines.messages == std::vector<std::string>{path + bad.message});
  CHECK_FALSE(others.users.Find("ann"));  // A bad line names nobody.
}

TEST_CASE("a file that is not there is named", "[examples][recommender][dataset]") {
  Names names;
  const auto refused = ReadInteractions("/nowhere/r.csv", kRatings, OnBadLine::kSkip, names);
  CHECK(refused.status().code() == absl::StatusCode::kNotFound);
}

TEST_CASE("a data set is read, filtered, divided and counted", "[examples][recommender][dataset]") {
  const TemporaryDirectory directory;
  directory.Write("r.csv", "u,i,r,t\n0,a,5,1\n0,b,2,2\n0,c,4,3\n0,d,5,4\n1,a,4,9\n0,e,4.5,5\n");
  directory.Write("t.csv", "id,title,genres\na,\"Apple, The\",Fruit\nz,Zebra,\n");
  DataConfig config{.directory = directory.path(),
                    .train = "r.csv",
                    .test = "",
                    .format = kRatings,
                    .min_rating = 4,
                    .split = {.rule = SplitRule::kLeaveOneOut},
                    .titles = {.path = "t.csv", .header = true, .note_column = 3}};
  const Dataset data = Need(LoadDataset(config, OnBadLine::kFail));
  const auto item = [&](const char* name) { return *data.names.items.Find(name); };
  REQUIRE(data.train.size() == 3);  // 0 a, 0 c, 1 a; b is below 4.
  CHECK(data.item_counts[item("a")] == 2);
  CHECK(data.item_counts[item("b")] == 0);
  CHECK(data.item_counts[item("c")] == 1);
  CHECK(data.validation_items.Of(0)[0] == item("d"));
  CHECK(data.test_items.Of(0)[0] == item("e"));
  CHECK(data.mean_rating == Approx(13.0 / 3));
  CHECK(data.TextOfItem(item("a")) == "Apple, The");
  CHECK(data.titles[item("a")].note == "Fruit");
  CHECK(data.TextOfItem(item("c")) == "c");
  CHECK(KnownItems(data, EvaluatedPart::kTest, 0) ==
        std::vector<std::uint32_t>{item("a"), item("c"), item("d")});
  CHECK(KnownItems(data, EvaluatedPart::kValidation, 0) ==
        std::vector<std::uint32_t>{item("a"), item("c")});

  config.min_rating = 6;
  CHECK(LoadDataset(config, OnBadLine::kFail).status().code() ==
        absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace longtail::examples::recommender
