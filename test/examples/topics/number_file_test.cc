#include "examples/topics/number_file.h"

#include <catch2/catch.hpp>

#include "examples/topics/text_files.h"

namespace longtail::examples {
namespace {

TEST_CASE("arrays come back as they were, and damage is told", "[examples][topics][number_file]") {
  const longtail::test::ScratchDirectory directory;
  const std::string path = directory.path() + "/numbers";
  const std::vector<std::uint32_t> first = {1, 2, 0xFFFFFFFF};
  const std::span<const std::uint32_t> arrays[] = {first, {}};
  REQUIRE(WriteNumberFile(path, arrays).ok());

  const auto read = test::Have(ReadNumberFile(path, 2));
  CHECK(read[0] == first);
  CHECK(read[1].empty());
  CHECK(ReadNumberFile(path, 1).status().code() == absl::StatusCode::kDataLoss);
  CHECK(ReadNumberFile(path + "-", 1).status().code() == absl::StatusCode::kNotFound);

  const std::string whole = test::ReadText(path);
  for (std::size_t i = 0; i < whole.size(); ++i) {
    CAPTURE(i);
    std::string flipped = whole;
    flipped[i] = static_cast<char>(flipped[i] ^ 1);
    test::WriteText(directory.path(), "damaged", flipped);
    CHECK(ReadNumberFile(directory.path() + "/damaged", 2).status().code() ==
          absl::StatusCode::kDataLoss);
    test::WriteText(directory.path(), "damaged", whole.substr(0, i));
    CHECK(ReadNumberFile(directory.path() + "/damaged", 2).status().code() ==
          absl::StatusCode::kDataLoss);
  }
}

}  // namespace
}  // namespace longtail::examples
