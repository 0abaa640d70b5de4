#include <catch2/catch.hpp>
#include <limits>

#include "examples/common/report/environment.h"
#include "examples/common/report/number_text.h"
#include "examples/common/report/safe_text.h"

namespace longtail::examples {
namespace {

TEST_CASE("numbers are written as people read them", "[report][text]") {
  CHECK(GroupedText(0) == "0");
  CHECK(GroupedText(999) == "999");
  CHECK(GroupedText(1000) == "1,000");
  CHECK(GroupedText(1'234'567) == "1,234,567");
  CHECK(GroupedText(std::numeric_limits<std::uint64_t>::max()) == "18,446,744,073,709,551,615");
  CHECK(CompactText(0) == "0");
  CHECK(CompactText(950) == "950");
  CHECK(CompactText(0.4567) == "0.46");
  CHECK(CompactText(999.9) == "1.00 k");
  CHECK(CompactText(1234) == "1.23 k");
  CHECK(CompactText(45'600'000) == "45.6 M");
  CHECK(CompactText(-789e9) == "-789 G");
  CHECK(BytesText(512) == "512 B");
  CHECK(BytesText(1'342'177'280) == "1.25 GiB");
  CHECK(BytesText(1'048'575) == "1.00 MiB");
  CHECK(ShortBytesText(6'889'144) == "6.6 MiB");
  CHECK(ShortBytesText(351'272'960) == "335 MiB");
  CHECK(PercentText(0.1234) == "12.3 %");
  CHECK(PercentText(0) == "0.0 %");
  CHECK(PercentText(0.0001) == "< 0.1 %");
  CHECK(PercentText(0.99999) == "> 99.9 %");
  CHECK(PercentText(1) == "100.0 %");
}

TEST_CASE("lengths of time carry and never show 60 seconds", "[report][text]") {
  CHECK(DurationText(0.424) == "0.42 s");
  CHECK(DurationText(9.999) == "10 s");
  CHECK(DurationText(59.7) == "1 min 00 s");
  CHECK(DurationText(125) == "2 min 05 s");
  CHECK(DurationText(3599.6) == "1 h 00 min");
  CHECK(DurationText(4980) == "1 h 23 min");
  CHECK(DurationText(3 * 86400 + 4 * 3600) == "3 d 04 h");
  CHECK(DurationText(-1) == "n/a");
  CHECK(DurationText(std::numeric_limits<double>::infinity()) == "n/a");
  CHECK(DurationText(std::numeric_limits<double>::quiet_NaN()) == "n/a");
}

TEST_CASE("text from outside is made safe and otherwise left alone", "[report][text]") {
  CHECK(SafeText("caf\xC3\xA9 \xE5\xAD\x97 \xF0\x9F\x98\x80") ==
        "caf\xC3\xA9 \xE5\xAD\x97 \xF0\x9F\x98\x80");
  CHECK(SafeText("a\tb\nc") == "a b c");
  CHECK(SafeText("\x1b[2J") == "\xEF\xBF\xBD[2J");
  CHECK(SafeText("\xC0\xAF") == "\xEF\xBF\xBD\xEF\xBF\xBD");                  // Overlong.
  CHECK(SafeText("\xE5\xAD") == "\xEF\xBF\xBD\xEF\xBF\xBD");                  // Cut short.
  CHECK(SafeText("\xED\xA0\x80x").ends_with("x"));                            // A surrogate.
  CHECK(SafeText("\xE2\x80\xAE") == "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");  // Right to left.
  CHECK(EscapeHtml("<a b=\"c\" d='e'>&") == "&lt;a b=&quot;c&quot; d=&#39;e&#39;&gt;&amp;");
  CHECK(WidthOf("caf\xC3\xA9") == 4);
}

TEST_CASE("the environment of this machine is found out", "[report][environment]") {
  const Environment environment = CollectEnvironment("OpenBLAS 0.3.21");

  CHECK_FALSE(environment.machine.empty());
  CHECK_FALSE(environment.operating_system.empty());
  CHECK(environment.core_count > 0);
  CHECK(environment.memory_bytes > 1'000'000);
  CHECK_FALSE(environment.compiler.empty());
  CHECK_FALSE(environment.version.empty());
  CHECK(environment.blas == "OpenBLAS 0.3.21");
}

}  // namespace
}  // namespace longtail::examples
