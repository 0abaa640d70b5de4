#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "examples/common/data/feature_key.h"
#include "memory_files.h"

namespace longtail::examples {
namespace {

using test::KeysOf;
using test::ReadAll;
using test::ReadError;

using Keys = std::vector<Key>;

Key KeyOf(const char* field, const char* token) {
  return FeatureKey(FieldSeed(field), token);
}

constexpr char kRatings[] = "user,movie,like,time\nu1,1,1,50\nu2,2,0,10\nu1,9,1,99\nu3,1,0,20\n";

constexpr char kMovies[] = R"({
  "files": ["ratings"], "splits": {"all": {}}, "label": "like",
  "features": ["user", "title", {"column": "genres", "separator": "|"},
               {"column": "length", "type": "numeric", "missing": -1}],
  "joins": [{"file": "movies", "format": "delimited", "separator": "::", "header": false,
             "columns": ["id", "title", "genres", "length"],
             "on": {"example": "movie", "side": "id"}, "add": ["title", "genres", "length"]}]})";

TEST_CASE("a side file with its own separator and latin-1 bytes adds columns",
          "[examples][joins]") {
  const Batch batch =
      ReadAll(kMovies, {{"ratings", kRatings},
                        {"movies", "2::Caf\xE9, \"x\"::Drama::120\n1::A:B::War|War|Drama::\n"}});

  REQUIRE(batch.size == 4);
  CHECK(KeysOf(batch, 0, 1) == Keys{KeyOf("title", "A:B")});
  CHECK(KeysOf(batch, 1, 1) == Keys{KeyOf("title", "Caf\xE9, \"x\"")});
  CHECK(KeysOf(batch, 0, 2) ==
        Keys{KeyOf("genres", "War"), KeyOf("genres", "War"), KeyOf("genres", "Drama")});
  CHECK(KeysOf(batch, 2, 1).empty());  // Movie 9 is not in the side file.
  CHECK(KeysOf(batch, 2, 2).empty());
  CHECK(batch.numeric == std::vector<float>{-1, 120, -1, -1});
}

TEST_CASE("a wrong side file is named by file, line and column", "[examples][joins]") {
  CHECK(ReadError(kMovies, {{"ratings", kRatings}}) == "movies: no such file");
  CHECK(ReadError(kMovies, {{"ratings", kRatings}, {"movies", "1::a::b::1\n2::a::b::x\n"}}) ==
        "movies:2:10: column 'length': 'x' is not a number; wanted a finite one or an empty cell");
  CHECK(ReadError(kMovies, {{"ratings", kRatings}, {"movies", "1::a::b::1\n1::a::b::2\n"}}) ==
        "movies:2:1: column 'id': '1' occurs twice; wanted it once, or \"many\": true");
  CHECK(ReadError(kMovies, {{"ratings", kRatings}, {"movies", "1::a\n"}}) ==
        "movies:1:5: 'a' is the last cell: the line has 2; wanted 4");
}

std::string TagsSchema(const std::string& more) {
  return R"({"files": ["ratings"], "splits": {"all": {}}, "label": "like",
             "features": ["movie", {"column": "tag", "lower_case": true}],
             "joins": [{"file": "tags", "on": "movie", "add": ["tag"], "many": true)" +
         more + "}]}";
}

constexpr char kTags[] =
    "movie,tag,when\n1,late,51\n1,Fun,20\n2,sad,10\n1,early,7\n1,fun,8\n1,at,50\n2,x,11\n";

TEST_CASE("many rows of a side file become one set of values", "[examples][joins]") {
  const Batch batch = ReadAll(TagsSchema(""), {{"ratings", kRatings}, {"tags", kTags}});

  CHECK(KeysOf(batch, 0, 1) ==
        Keys{KeyOf("tag", "late"), KeyOf("tag", "fun"), KeyOf("tag", "early"), KeyOf("tag", "at")});
  CHECK(KeysOf(batch, 1, 1) == Keys{KeyOf("tag", "sad"), KeyOf("tag", "x")});
  CHECK(KeysOf(batch, 2, 1).empty());
}

TEST_CASE("as_of shows an example only what was known at its time", "[examples][joins]") {
  const std::string schema = TagsSchema(R"(, "as_of": {"example": "time", "side": "when"})");
  const Batch batch = ReadAll(schema, {{"ratings", kRatings}, {"tags", kTags}});

  CHECK(KeysOf(batch, 0, 1) ==  // Time 50, of movie 1: 'at' came with it, 'late' after it.
        Keys{KeyOf("tag", "early"), KeyOf("tag", "fun"), KeyOf("tag", "at")});
  CHECK(KeysOf(batch, 1, 1) == Keys{KeyOf("tag", "sad")});
  CHECK(KeysOf(batch, 3, 1) == Keys{KeyOf("tag", "early"), KeyOf("tag", "fun")});

  const Batch timeless = ReadAll(schema, {{"ratings", "movie,like,time\n1,1,\n"}, {"tags", kTags}});
  CHECK(KeysOf(timeless, 0, 1).empty());
  CHECK(ReadError(schema, {{"ratings", "movie,like,time\n1,1,now\n"}, {"tags", kTags}}) ==
        "ratings:2:5: column 'time': 'now' is no time; wanted a finite number");
  CHECK(ReadError(schema, {{"ratings", kRatings}, {"tags", "movie,tag,when\n1,a,b\n"}}) ==
        "tags:2:5: column 'when': 'b' is no time; wanted a finite number");
  CHECK(ReadError(schema, {{"ratings", kRatings}, {"tags", "movie,tag,then\n"}}) ==
        "tags:1:1: no column 'when', which as_of of the join needs; wanted it among movie, tag, "
        "then");
}

TEST_CASE("a column that both files have is refused", "[examples][joins]") {
  CHECK(ReadError(TagsSchema(""), {{"ratings", "movie,like,tag\n"}, {"tags", kTags}}) ==
        "schema: join 'tags': column 'tag' is also in ratings; wanted different names");
}

}  // namespace
}  // namespace longtail::examples
