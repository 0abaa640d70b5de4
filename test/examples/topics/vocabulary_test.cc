#include "examples/topics/vocabulary.h"

#include <catch2/catch.hpp>

#include "examples/topics/text_files.h"

namespace longtail::examples {
namespace {

TEST_CASE("words keep the numbers in which they came", "[examples][topics][vocabulary]") {
  const longtail::test::ScratchDirectory directory;
  Vocabulary vocabulary;
  CHECK(vocabulary.Add("红酒") == 0);
  CHECK(vocabulary.Add("木瓜") == 1);
  CHECK(vocabulary.Add("红酒") == 0);
  REQUIRE(vocabulary.Save(directory.path() + "/words").ok());

  const Vocabulary read = test::Have(Vocabulary::Load(directory.path() + "/words"));

  CHECK(read.size() == 2);
  CHECK(read.text(1) == "木瓜");
  CHECK(read.Find("木瓜") == 1U);
  CHECK_FALSE(read.Find("汤"));
  CHECK(read.keys() == vocabulary.keys());
}

TEST_CASE("a vocabulary with a word twice or none is refused by line",
          "[examples][topics][vocabulary]") {
  const longtail::test::ScratchDirectory directory;
  const std::string text = GENERATE("a\t3\nb\t2\na\t1\n", "a\nb\n\n");
  const std::string path = test::WriteText(directory.path(), "words", text);

  const auto read = Vocabulary::Load(path);

  CHECK(read.status().code() == absl::StatusCode::kInvalidArgument);
  CHECK(std::string(read.status().message()).find("words:3:") != std::string::npos);
}

}  // namespace
}  // namespace longtail::examples
