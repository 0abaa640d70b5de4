#include "examples/topics/document_store.h"

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <span>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/status_macros.h"
#include "examples/topics/number_file.h"
#include "nlohmann/json.hpp"

namespace longtail::examples {
namespace {

std::string BlockPath(const std::string& directory, std::uint32_t block) {
  return absl::StrFormat("%s/block-%05d.tokens", directory, block);
}

// Tokens in the order in which they come; written word by word.
class BlockWriter {
 public:
  explicit BlockWriter(std::string directory) : directory_(std::move(directory)) {}

  void Add(std::span<const std::uint32_t> words) {
    for (const std::uint32_t word : words) tokens_.emplace_back(word, document_count_);
    ++document_count_;
  }

  std::size_t token_count() const { return tokens_.size(); }
  std::uint32_t block_count() const { return block_count_; }

  absl::Status Write() {
    std::ranges::sort(tokens_);
    TokenBlock block;
    for (const auto& [word, document] : tokens_) {
      if (block.words.empty() || block.words.back() != word) {
        block.words.push_back(word);
        block.ends.push_back(0);
      }
      block.documents.push_back(document);
      block.ends.back() = static_cast<std::uint32_t>(block.documents.size());
    }
    const std::span<const std::uint32_t> arrays[] = {std::span(&document_count_, 1), block.words,
                                                     block.ends, block.documents};
    LONGTAIL_RETURN_IF_ERROR(WriteNumberFile(BlockPath(directory_, block_count_), arrays));
    tokens_.clear();
    document_count_ = 0;
    ++block_count_;
    return absl::OkStatus();
  }

 private:
  const std::string directory_;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> tokens_;  // Word, document.
  std::uint32_t document_count_ = 0;
  std::uint32_t block_count_ = 0;
};

}  // namespace

absl::StatusOr<DocumentStore> DocumentStore::Prepare(const std::string& directory,
                                                     const CorpusSpec& spec,
                                                     std::uint32_t block_tokens) {
  std::error_code error;
  std::filesystem::remove(directory + "/corpus.json", error);
  std::filesystem::create_directories(directory, error);
  if (error) {
    return absl::UnavailableError(absl::StrCat("directory '", directory, "': ", error.message()));
  }
  LONGTAIL_ASSIGN_OR_RETURN(const auto reader, DocumentReader::Open(spec));
  DocumentStore store;
  store.directory_ = directory;
  store.text_kind_ = spec.text.kind;
  if (reader->vocabulary() != nullptr) store.vocabulary_ = *reader->vocabulary();
  BlockWriter writer(directory);
  std::vector<std::string> words;
  std::vector<std::uint32_t> numbers;
  for (;;) {
    LONGTAIL_ASSIGN_OR_RETURN(const bool has_document, reader->Next(words));
    if (!has_document) break;
    if (words.empty()) continue;
    numbers.clear();
    for (const std::string& word : words) numbers.push_back(store.vocabulary_.Add(word));
    writer.Add(numbers);
    if (writer.token_count() >= block_tokens) LONGTAIL_RETURN_IF_ERROR(writer.Write());
  }
  if (writer.token_count() > 0) LONGTAIL_RETURN_IF_ERROR(writer.Write());
  store.counts_ = reader->counts();
  store.block_count_ = writer.block_count();
  if (store.counts_.tokens == 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        "corpus '", spec.files[0], "'", spec.files.size() > 1 ? " and others" : "", ": none of ",
        store.counts_.empty + store.counts_.undecodable, " lines has a word that counts"));
  }
  LONGTAIL_RETURN_IF_ERROR(store.vocabulary_.Save(directory + "/vocabulary.txt"));
  const nlohmann::json json = {{"blocks", store.block_count_},
                               {"documents", store.counts_.documents},
                               {"tokens", store.counts_.tokens},
                               {"empty", store.counts_.empty},
                               {"undecodable", store.counts_.undecodable},
                               {"first_undecodable", store.counts_.first_undecodable},
                               {"text", NameOf(store.text_kind_)}};
  std::ofstream file(directory + "/corpus.json", std::ios::binary | std::ios::trunc);
  file << json.dump(2) << "\n";
  file.close();
  if (file) return store;
  return absl::UnavailableError(
      absl::StrCat("'", directory, "/corpus.json': cannot be written; is the disk full?"));
}

absl::StatusOr<DocumentStore> DocumentStore::Open(const std::string& directory) {
  const std::string path = directory + "/corpus.json";
  std::ifstream file(path);
  if (!file) {
    return absl::NotFoundError(
        absl::StrCat("'", path, "': is not there: the corpus was never read whole"));
  }
  const nlohmann::json json = nlohmann::json::parse(file, nullptr, false);
  DocumentStore store;
  store.directory_ = directory;
  try {
    store.block_count_ = json.at("blocks").get<std::uint32_t>();
    store.counts_ = {.documents = json.at("documents").get<std::uint64_t>(),
                     .tokens = json.at("tokens").get<std::uint64_t>(),
                     .empty = json.at("empty").get<std::uint64_t>(),
                     .undecodable = json.at("undecodable").get<std::uint64_t>(),
                     .first_undecodable = json.at("first_undecodable").get<std::string>()};
    store.text_kind_ = json.at("text") == "chinese" ? TextKind::kChinese : TextKind::kWords;
  } catch (const nlohmann::json::exception& problem) {
    return absl::DataLossError(absl::StrCat("'", path, "': is damaged: ", problem.what()));
  }
  LONGTAIL_ASSIGN_OR_RETURN(store.vocabulary_, Vocabulary::Load(directory + "/vocabulary.txt"));
  return store;
}

absl::StatusOr<TokenBlock> DocumentStore::ReadBlock(std::uint32_t index) const {
  const std::string path = BlockPath(directory_, index);
  LONGTAIL_ASSIGN_OR_RETURN(auto arrays, ReadNumberFile(path, 4));
  TokenBlock block;
  block.words = std::move(arrays[1]);
  block.ends = std::move(arrays[2]);
  block.documents = std::move(arrays[3]);
  // Whoever wrote it, it must not lead out of memory.
  const bool is_fine =
      arrays[0].size() == 1 && block.words.size() == block.ends.size() &&
      std::ranges::is_sorted(block.words) && std::ranges::is_sorted(block.ends) &&
      (block.words.empty() || block.words.back() < vocabulary_.size()) &&
      (block.ends.empty() ? 0 : block.ends.back()) == block.documents.size() &&
      std::ranges::all_of(block.documents, [&](std::uint32_t d) { return d < arrays[0][0]; });
  if (!is_fine) {
    return absl::DataLossError(
        absl::StrCat("'", path, "': is no block of this corpus of ", vocabulary_.size(), " words"));
  }
  block.document_count = arrays[0][0];
  return block;
}

}  // namespace longtail::examples
