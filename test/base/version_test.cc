// The version that programs give.
#include "base/version.h"

#include <algorithm>
#include <catch2/catch.hpp>

namespace longtail {
namespace {

TEST_CASE("a version is three numbers", "[base][version]") {
  const std::string version = ProgramVersion();
  CAPTURE(version);
  CHECK(version.find_first_not_of("0123456789.") == std::string::npos);
  CHECK(std::count(version.begin(), version.end(), '.') == 2);
}

}  // namespace
}  // namespace longtail
