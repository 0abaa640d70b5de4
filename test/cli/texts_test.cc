// How numbers, keys, columns and bars look.
#include <catch2/catch.hpp>
#include <limits>

#include "cli/age_text.h"
#include "cli/bar_text.h"
#include "cli/key_text.h"
#include "cli/number_text.h"
#include "cli/safe_text.h"
#include "cli/text_columns.h"
#include "server/cluster_fixture.h"

namespace longtail::cli {
namespace {

TEST_CASE("a key is read in decimal and in hexadecimal, over all 64 bits", "[cli][key_text]") {
  CHECK(test::Must(ParseKey("0")) == 0);
  CHECK(test::Must(ParseKey("18446744073709551615")) == ~Key{0});
  CHECK(test::Must(ParseKey("0x1f")) == 31);
  CHECK(test::Must(ParseKey("0XFFFFFFFFFFFFFFFF")) == ~Key{0});
  CHECK(test::Must(ParseKeys({"12", "0x12"})) == std::vector<Key>{12, 18});
  CHECK(KeyText(4919) == "4919 (0x1337)");
}

TEST_CASE("a text that is no key is named with what was wanted", "[cli][key_text]") {
  for (const char* text : {"", "0x", "-1", "+1", " 1", "1 ", "12a", "0xg", "1.5",
                           "18446744073709551616", "0x10000000000000000"}) {
    CAPTURE(text);
    const absl::Status status = ParseKeys({"7", text}).status();
    CHECK(absl::IsInvalidArgument(status));
    CHECK(test::Says(status, std::string("key '") + text + "': want a whole number"));
  }
}

TEST_CASE("an age is a number and a unit", "[cli][age_text]") {
  CHECK(test::Must(ParseAge("0s")) == absl::ZeroDuration());
  CHECK(test::Must(ParseAge("90s")) == absl::Seconds(90));
  CHECK(test::Must(ParseAge("15m")) == absl::Minutes(15));
  CHECK(test::Must(ParseAge("12h")) == absl::Hours(12));
  CHECK(test::Must(ParseAge("7d")) == absl::Hours(168));
  CHECK(test::Must(ParseAge("1000000w")) == absl::Hours(168'000'000));
  for (const char* text : {"", "d", "7", "7 d", "-7d", "1.5d", "7y", "7dd", "1000001s", "+1d"}) {
    CAPTURE(text);
    const absl::Status status = ParseAge(text).status();
    CHECK(absl::IsInvalidArgument(status));
    CHECK(test::Says(status, std::string("age '") + text + "': want a whole number"));
  }
}

TEST_CASE("numbers are grouped, shares rounded, values cut", "[cli][number_text]") {
  CHECK(GroupedText(0) == "0");
  CHECK(GroupedText(999) == "999");
  CHECK(GroupedText(1000) == "1,000");
  CHECK(GroupedText(18'446'744'073'709'551'615U) == "18,446,744,073,709,551,615");
  CHECK(ShareText(1, 3) == "33.3 %");
  CHECK(ShareText(0, 3) == "0.0 %");
  CHECK(ShareText(1, 10'000) == "< 0.1 %");
  CHECK(ShareText(0, 0) == "-");
  CHECK(ShortText(0.1234567) == "0.123457");
  CHECK(CountedText(1, "row") == "1 row");
  CHECK(CountedText(2000, "row") == "2,000 rows");
  const std::vector<float> values = {0.1F, -2, std::numeric_limits<float>::infinity()};
  CHECK(ValuesText(values, 3) == "0.1 -2 inf");
  CHECK(ValuesText(values, 2) == "0.1 -2 …");
  CHECK(ValuesText({}, 2).empty());
}

TEST_CASE("columns are aligned and end without blanks", "[cli][text_columns]") {
  CHECK(ColumnsText({{"a", "b"}, {"100", "7", "##"}, {"2", "1000", ""}}, 2) ==
        "    a     b\n"
        "  100     7  ##\n"
        "    2  1000\n");
  CHECK(ColumnsText({}, 1).empty());
}

TEST_CASE("a bar is in proportion and never nothing for something", "[cli][bar_text]") {
  CHECK(BarText(10, 10, 4, BarStyle::kAscii) == "####");
  CHECK(BarText(5, 10, 4, BarStyle::kAscii) == "##");
  CHECK(BarText(1, 1'000'000, 4, BarStyle::kAscii) == "#");
  CHECK(BarText(0, 10, 4, BarStyle::kAscii).empty());
  CHECK(BarText(0, 0, 4, BarStyle::kAscii).empty());
  CHECK(BarText(5, 10, 4, BarStyle::kBlocks) == "██");
}

TEST_CASE("no text steers the terminal", "[cli][safe_text]") {
  CHECK(SafeText("a\x1b[31mb\n\x7f") == "a?[31mb??");
  CHECK(SafeText("\xC2\x9B"
                 "1m") == "?1m");
  CHECK(SafeText("Größe …") == "Größe …");
  CHECK(SafeText("cut \xC2") == "cut \xC2");
}

}  // namespace
}  // namespace longtail::cli
