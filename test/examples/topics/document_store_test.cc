#include "examples/topics/document_store.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <map>

#include "examples/topics/number_file.h"
#include "examples/topics/text_files.h"

namespace longtail::examples {
namespace {

using longtail::test::ScratchDirectory;

TEST_CASE("a corpus in blocks has each document once, whole", "[examples][topics][store]") {
  const ScratchDirectory directory;
  CorpusSpec spec;
  spec.files = {test::WriteText(directory.path(), "a", "w v w\n\nu\nv v\nx y z\nu u\n")};
  const std::string path = directory.path() + "/documents";
  CHECK(DocumentStore::Open(path).status().code() == absl::StatusCode::kNotFound);
  REQUIRE(DocumentStore::Prepare(path, spec, /*block_tokens=*/4).ok());

  const DocumentStore store = test::Have(DocumentStore::Open(path));

  CHECK(store.counts().documents == 5);
  CHECK(store.counts().tokens == 11);
  CHECK(store.counts().empty == 1);
  CHECK(store.vocabulary().size() == 6);
  CHECK(store.block_count() == 3);
  std::vector<std::multimap<std::uint32_t, std::string>> blocks;  // Words by document.
  for (std::uint32_t i = 0; i < store.block_count(); ++i) {
    const TokenBlock block = test::Have(store.ReadBlock(i));
    auto& words = blocks.emplace_back();
    for (std::size_t w = 0; w < block.words.size(); ++w) {
      for (std::size_t t = block.begin(w); t < block.ends[w]; ++t) {
        words.emplace(block.documents[t], store.vocabulary().text(block.words[w]));
      }
    }
  }
  using Words = std::multimap<std::uint32_t, std::string>;
  CHECK(blocks[0] == Words{{0, "w"}, {0, "w"}, {0, "v"}, {1, "u"}});
  CHECK(blocks[1] == Words{{0, "v"}, {0, "v"}, {1, "x"}, {1, "y"}, {1, "z"}});
  CHECK(blocks[2] == Words{{0, "u"}, {0, "u"}});
}

TEST_CASE("a corpus without a word, and a block of another one, are refused",
          "[examples][topics][store]") {
  const ScratchDirectory directory;
  CorpusSpec spec;
  const std::string path = directory.path() + "/documents";
  spec.files = {test::WriteText(directory.path(), "a", "\n--\n")};
  CHECK(DocumentStore::Prepare(path, spec, 4).status().code() ==
        absl::StatusCode::kInvalidArgument);
  CHECK_FALSE(std::filesystem::exists(path + "/corpus.json"));
  spec.files = {test::WriteText(directory.path(), "a", "w v\n")};
  const DocumentStore store = test::Have(DocumentStore::Prepare(path, spec, 4));
  const std::vector<std::uint32_t> one = {1};
  const std::vector<std::uint32_t> wild = {7};
  const std::vector<std::uint32_t> zero = {0};
  const std::span<const std::uint32_t> wrong_word[] = {one, wild, one, zero};
  REQUIRE(WriteNumberFile(path + "/block-00000.tokens", wrong_word).ok());
  CHECK(store.ReadBlock(0).status().code() == absl::StatusCode::kDataLoss);
  const std::span<const std::uint32_t> wrong_document[] = {one, zero, one, wild};
  REQUIRE(WriteNumberFile(path + "/block-00000.tokens", wrong_document).ok());
  CHECK(store.ReadBlock(0).status().code() == absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace longtail::examples
