#include "base/status_macros.h"

#include <catch2/catch.hpp>
#include <memory>

namespace longtail {
namespace {

absl::StatusOr<std::unique_ptr<int>> Parse(int value) {
  if (value < 0) return absl::OutOfRangeError("negative");
  return std::make_unique<int>(value);
}

absl::Status Refuse(int value) {
  return value > 100 ? absl::ResourceExhaustedError("over 100") : absl::OkStatus();
}

absl::StatusOr<int> Sum(int a, int b) {
  LONGTAIL_ASSIGN_OR_RETURN(const std::unique_ptr<int> first, Parse(a));
  std::unique_ptr<int> second;
  LONGTAIL_ASSIGN_OR_RETURN(second, Parse(b));
  LONGTAIL_RETURN_IF_ERROR(Refuse(*first + *second));
  return *first + *second;
}

TEST_CASE("the macros pass values through and hand errors on", "[base][status]") {
  CHECK(Sum(3, 4).value() == 7);
  CHECK(absl::IsOutOfRange(Sum(-1, 4).status()));
  CHECK(Sum(3, -4).status().message() == "negative");
  CHECK(absl::IsResourceExhausted(Sum(60, 41).status()));
}

}  // namespace
}  // namespace longtail
