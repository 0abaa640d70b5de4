#include "examples/online/example_line.h"

#include <catch2/catch.hpp>

namespace longtail::examples {
namespace {

TEST_CASE("an example is a line and the same again, but for when it was written", "[online]") {
  Example one{.id = "i1",
              .at_ms = 10,
              .joined_ms = 20,
              .is_click = true,
              .features = {"a", "Zürich"},
              .written_ms = 30};
  CHECK(LineOf(one) == "20\t1\ti1\t10\ta\tZürich");
  const auto parsed = ParseExample(LineOf(one));
  REQUIRE(parsed.ok());
  one.written_ms = 0;
  CHECK(*parsed == one);
  for (const char* wrong :
       {"", "20", "20\t1\ti1\t10", "20\t2\ti1\t10\ta", "x\t1\ti1\t10\ta", "20\t1\ti1\tx\ta"}) {
    CAPTURE(wrong);
    CHECK(absl::IsDataLoss(ParseExample(wrong).status()));
  }
}

TEST_CASE("a digest is of lines and of their order", "[online]") {
  const auto both = [](const char* first, const char* second) {
    return DigestAfter(DigestAfter(0, first), second);
  };
  CHECK(both("a", "b") == both("a", "b"));
  CHECK(both("a", "b") != both("b", "a"));
  CHECK(both("a", "b") != both("", "ab"));
}

}  // namespace
}  // namespace longtail::examples
