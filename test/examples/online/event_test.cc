#include "examples/online/event.h"

#include <catch2/catch.hpp>
#include <string>

namespace longtail::examples {
namespace {

TEST_CASE("events are read as they were written", "[online]") {
  const Event shown{.kind = EventKind::kImpression,
                    .id = "i7",
                    .at_ms = 1'700'000'000'123,
                    .features = {"city=Zürich", "query=红酒木瓜汤", "x"}};
  const auto read = DecodeEvent(EventKind::kImpression, shown.id, EncodeValue(shown));
  REQUIRE(read.ok());
  CHECK(read->kind == EventKind::kImpression);
  CHECK(read->id == shown.id);
  CHECK(read->at_ms == shown.at_ms);
  CHECK(read->features == shown.features);
  CHECK(DecodeEvent(EventKind::kClick, "i7", "5")->kind == EventKind::kClick);
  // Without a key it is the time.
  CHECK(DecodeEvent(EventKind::kClick, "", "5")->kind == EventKind::kTick);
  CHECK(DecodeEvent(EventKind::kClick, "", "5")->at_ms == 5);
}

TEST_CASE("what is no event is told", "[online]") {
  const auto says = [](const std::string& key, const std::string& value, const std::string& what) {
    const auto read = DecodeEvent(EventKind::kImpression, key, value);
    CAPTURE(key, value);
    CHECK(absl::IsInvalidArgument(read.status()));
    CHECK(read.status().message().find(what) != std::string::npos);
  };
  says("i", "", "want a time");
  says("i", "x\ta", "want a time");
  says("i", "-1\ta", "want a time");
  says("i", "99999999999999999\ta", "want a time");
  says("i", "5", "an impression without features");
  says("i", "5\ta\t", "feature 2 is empty");
  says("i", "5\ta\xff", "no UTF-8");
  says("i", "5\ta\xc0\x80", "no UTF-8");
  says("i", "5\t\xed\xa0\x80", "no UTF-8");  // Half of a surrogate pair.
  says("i", "5\ta\nb", "no UTF-8");
  says("i\n", "5\ta", "its id is no UTF-8");
  says("i", "5\t" + std::string(70'000, 'a'), "bytes: want at most");
  std::string many = "5";
  for (int i = 0; i < 1001; ++i) many += "\ta";
  says("i", many, "1001 features");
}

}  // namespace
}  // namespace longtail::examples
