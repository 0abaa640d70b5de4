#include "cli/inspect_answer.h"

#include <catch2/catch.hpp>
#include <limits>

namespace longtail::cli {
namespace {

using nlohmann::json;

TEST_CASE("a float in JSON has as few digits as give it again", "[cli][inspect_answer]") {
  CHECK(FloatJson(0.1F).dump() == "0.1");
  CHECK(FloatJson(-1.5F).dump() == "-1.5");
  CHECK(FloatJson(std::numeric_limits<float>::infinity()).is_null());
  CHECK(FloatJson(std::numeric_limits<float>::quiet_NaN()).is_null());
  for (const float value :
       {1.0F / 3, std::numeric_limits<float>::denorm_min(), std::numeric_limits<float>::max()}) {
    CHECK(json::parse(FloatJson(value).dump()).get<float>() == value);
  }
}

TEST_CASE("an optimizer is its rule and the numbers that are not zero", "[cli][inspect_answer]") {
  const TableSpec spec{.name = "t",
                       .dim = 1,
                       .optimizer = {.rule = MomentumSpec{.learning_rate = 0.25F, .momentum = 0}}};

  CHECK(OptimizerText(spec) == "momentum, learning_rate 0.25");
}

TEST_CASE("a share of nothing is nothing", "[cli][inspect_answer]") {
  CHECK(ShareOf(0, 0) == 0);
  CHECK(ShareOf(3, 4) == 0.75);
}

TEST_CASE("bytes that are no text still make a line of JSON", "[cli][inspect_answer]") {
  const std::string line = LineOf({{"address", "a\xFF\nb"}, {"number", 18446744073709551615U}});

  CHECK(line == "{\"address\":\"a\xEF\xBF\xBD\\nb\",\"number\":18446744073709551615}\n");
}

TEST_CASE("what others wrote into a manifest steers no terminal", "[cli][inspect_answer]") {
  CheckpointSource source;
  source.address = "a\x1b";
  source.manifest.created_at = "\x1b[2J";
  source.manifest.library_version = "\x07";
  source.sessions = 3;

  const std::string text = CheckpointText(source);

  CHECK(text.find('\x1b') == std::string::npos);
  CHECK(text.find('\x07') == std::string::npos);
  CHECK(text.find(", 3 sessions; ") != std::string::npos);
}

}  // namespace
}  // namespace longtail::cli
