#include "examples/topics/document_reader.h"

#include <catch2/catch.hpp>

#include "examples/topics/text_files.h"

namespace longtail::examples {
namespace {

using longtail::test::ScratchDirectory;
using Documents = std::vector<std::vector<std::string>>;

Documents ReadAll(DocumentReader& reader) {
  Documents documents;
  for (std::vector<std::string> words; test::Have(reader.Next(words));) documents.push_back(words);
  return documents;
}

TEST_CASE("documents of numbers have their words as often as they say",
          "[examples][topics][document_reader]") {
  const ScratchDirectory directory;
  CorpusSpec spec;
  spec.vocabulary = test::WriteText(directory.path(), "words", "a\t9\nb\t8\nc\t7\n");
  spec.files = {test::WriteText(directory.path(), "docs", "2:1 0:2\n\n1:1\n")};

  const auto reader = test::Have(DocumentReader::Open(spec));

  CHECK(ReadAll(*reader) == Documents{{"c", "a", "a"}, {}, {"b"}});
  CHECK(reader->counts().documents == 2);
  CHECK(reader->counts().tokens == 4);
  CHECK(reader->counts().empty == 1);
}

TEST_CASE("a line of numbers that is none is named by line and byte",
          "[examples][topics][document_reader]") {
  const ScratchDirectory directory;
  const std::string line =
      GENERATE("0:1 7", "0:1 3:1", "0:1 1:0", "0:1 1:-1", "0:1 1:1x", "0:1 1:9999999999", "0:1 x");
  CAPTURE(line);
  CorpusSpec spec;
  spec.vocabulary = test::WriteText(directory.path(), "words", "a\nb\nc\n");
  spec.files = {test::WriteText(directory.path(), "docs", "1:1\n" + line + "\n")};
  const auto reader = test::Have(DocumentReader::Open(spec));
  std::vector<std::string> words;
  REQUIRE(reader->Next(words).ok());

  const auto next = reader->Next(words);

  CHECK(next.status().code() == absl::StatusCode::kInvalidArgument);
  CHECK(std::string(next.status().message()).find("docs:2:5: ") != std::string::npos);
}

TEST_CASE("text that is not UTF-8 is counted and left out", "[examples][topics][document_reader]") {
  const ScratchDirectory directory;
  CorpusSpec spec;
  spec.column = 2;
  spec.files = {test::WriteText(directory.path(), "a", "x\tred wine\n1\t\xff\xff\n"),
                test::WriteText(directory.path(), "b", "y\tsoup\ty\nz\t--\n")};

  const auto reader = test::Have(DocumentReader::Open(spec));

  CHECK(ReadAll(*reader) == Documents{{"red", "wine"}, {}, {"soup"}, {}});
  CHECK(reader->counts().documents == 2);
  CHECK(reader->counts().undecodable == 1);
  CHECK(reader->counts().empty == 1);
  CHECK(reader->counts().first_undecodable == spec.files[0] + ":2:3");
}

TEST_CASE("a column that is not there is an error", "[examples][topics][document_reader]") {
  const ScratchDirectory directory;
  CorpusSpec spec;
  spec.column = 3;
  spec.files = {test::WriteText(directory.path(), "a", "x\ty\n")};
  const auto reader = test::Have(DocumentReader::Open(spec));
  std::vector<std::string> words;

  CHECK(std::string(reader->Next(words).status().message()).find("wanted column 3") !=
        std::string::npos);
}

TEST_CASE("every so many documents one is held out, and the two parts are the whole",
          "[examples][topics][document_reader]") {
  const ScratchDirectory directory;
  CorpusSpec spec;
  spec.test_every = 3;
  spec.files = {test::WriteText(directory.path(), "a", "d1\nd2\nd3\nd4\n"),
                test::WriteText(directory.path(), "b", "d5\nd6\n")};
  spec.part = CorpusPart::kTrain;
  CHECK(ReadAll(*test::Have(DocumentReader::Open(spec))) ==
        Documents{{"d1"}, {"d2"}, {"d4"}, {"d5"}});
  spec.part = CorpusPart::kHeldOut;
  CHECK(ReadAll(*test::Have(DocumentReader::Open(spec))) == Documents{{"d3"}, {"d6"}});
}

TEST_CASE("words that a vocabulary lacks get numbers behind its own",
          "[examples][topics][document_reader]") {
  const ScratchDirectory directory;
  Vocabulary vocabulary;
  vocabulary.Add("a");
  CorpusSpec spec;
  spec.files = {test::WriteText(directory.path(), "a", "a new\nother new\n")};
  CorpusCounts counts;

  const auto documents = test::Have(ReadNumbered(spec, vocabulary, counts));

  CHECK(documents == std::vector<std::vector<std::uint32_t>>{{0, 1}, {2, 1}});
  CHECK(counts.tokens == 4);
}

}  // namespace
}  // namespace longtail::examples
