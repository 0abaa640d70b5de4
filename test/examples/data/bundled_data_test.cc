#include <catch2/catch.hpp>
#include <numeric>
#include <string>

#include "examples/common/data/feature_key.h"
#include "memory_files.h"

namespace longtail::examples {
namespace {

Batch ReadSplit(const std::string& split) {
  const absl::StatusOr<Schema> schema =
      LoadSchema(std::string(LONGTAIL_BUNDLED_DATA) + "/movielens-latest-small/schema.json");
  INFO(schema.status().ToString());
  REQUIRE(schema.ok());
  return test::NextOf(*test::OpenReader(*schema, split, {}), 1 << 20);
}

double LikeCount(const Batch& batch) {
  return std::accumulate(batch.labels.begin(), batch.labels.end(), 0.0);
}

TEST_CASE("the MovieLens data of the project has the splits that its page says",
          "[examples][data]") {
  const Batch train = ReadSplit("train");
  const Batch validation = ReadSplit("validation");
  const Batch test = ReadSplit("test");

  CHECK(train.size == 80'669);
  CHECK(validation.size == 10'083);
  CHECK(test.size == 10'084);
  CHECK(LikeCount(train) == 39'255);
  CHECK(LikeCount(validation) == 5'197);
  CHECK(LikeCount(test) == 4'128);
  CHECK(train.groups.size() == train.size);
}

TEST_CASE("the MovieLens data of the project joins titles, genres and earlier tags",
          "[examples][data]") {
  const Batch train = ReadSplit("train");
  const auto key = [](const char* field, const char* token) {
    return FeatureKey(FieldSeed(field), token);
  };

  // The first line is "1,1,4.0,964982703": user 1 likes Toy Story (1995) in 2000.
  CHECK(train.labels[0] == 1);
  CHECK(test::KeysOf(train, 0, 0) == std::vector<Key>{key("user", "1")});
  CHECK(test::KeysOf(train, 0, 1) == std::vector<Key>{key("movie", "1")});
  CHECK(test::KeysOf(train, 0, 2) ==
        std::vector<Key>{key("genre", "Adventure"), key("genre", "Animation"),
                         key("genre", "Children"), key("genre", "Comedy"),
                         key("genre", "Fantasy")});
  CHECK(test::KeysOf(train, 0, 3).empty());  // Its first tag is of 2006.
  CHECK(test::KeysOf(train, 0, 4) == std::vector<Key>{key("year", "1995")});
  std::size_t tagged = 0;
  for (std::size_t e = 0; e < train.size; ++e) tagged += test::KeysOf(train, e, 3).empty() ? 0 : 1;
  CHECK(tagged > 1000);
  CHECK(tagged < train.size / 2);
}

}  // namespace
}  // namespace longtail::examples
