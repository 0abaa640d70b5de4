#include "examples/topics/document_reader.h"

#include <charconv>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "examples/common/data/byte_source.h"
#include "examples/common/data/line_problem.h"

namespace longtail::examples {
namespace {

// Of one word in one line: more is a mistake, and would be as many tokens in memory.
constexpr std::uint32_t kCountMax = 1'000'000;

}  // namespace

absl::StatusOr<std::unique_ptr<DocumentReader>> DocumentReader::Open(const CorpusSpec& spec) {
  if (spec.files.empty()) return absl::InvalidArgumentError("corpus: wanted at least one file");
  if (spec.part != CorpusPart::kAll && spec.test_every < 2) {
    return absl::InvalidArgumentError(
        absl::StrCat("corpus: every ", spec.test_every, "th document held out: wanted 2 or more"));
  }
  std::optional<Tokenizer> tokenizer;
  std::optional<Vocabulary> vocabulary;
  if (spec.vocabulary.empty()) {
    LONGTAIL_ASSIGN_OR_RETURN(tokenizer, Tokenizer::Make(spec.text));
  } else {
    LONGTAIL_ASSIGN_OR_RETURN(vocabulary, Vocabulary::Load(spec.vocabulary));
  }
  return std::unique_ptr<DocumentReader>(
      new DocumentReader(spec, std::move(tokenizer), std::move(vocabulary)));
}

absl::StatusOr<bool> DocumentReader::Next(std::vector<std::string>& words) {
  words.clear();
  std::string_view line;
  for (;;) {
    if (lines_ == nullptr) {
      if (file_ == spec_.files.size()) return false;
      LONGTAIL_ASSIGN_OR_RETURN(auto source, OpenFile(spec_.files[file_]));
      lines_ = std::make_unique<LineReader>(spec_.files[file_++], std::move(source));
    }
    LONGTAIL_ASSIGN_OR_RETURN(const bool has_line, lines_->Next(line));
    if (!has_line) {
      lines_ = nullptr;
      continue;
    }
    ++number_;
    if (spec_.part == CorpusPart::kAll) break;
    const bool is_held_out = number_ % spec_.test_every == 0;
    if (is_held_out == (spec_.part == CorpusPart::kHeldOut)) break;
  }
  const std::uint64_t undecodable = counts_.undecodable;
  LONGTAIL_RETURN_IF_ERROR(vocabulary_ ? ReadNumbers(line, words) : ReadText(line, words));
  ++(!words.empty() ? counts_.documents : counts_.empty);
  if (counts_.undecodable != undecodable) --counts_.empty;
  counts_.tokens += words.size();
  return true;
}

absl::Status DocumentReader::ReadNumbers(std::string_view line, std::vector<std::string>& words) {
  const char* const end = line.data() + line.size();
  for (const char* at = line.data(); at != end;) {
    if (*at == ' ') {
      ++at;
      continue;
    }
    std::uint32_t number = 0;
    std::uint32_t count = 0;
    const auto [colon, bad_number] = std::from_chars(at, end, number);
    const bool has_colon = bad_number == std::errc() && colon != end && *colon == ':';
    const auto [rest, bad_count] = has_colon
                                       ? std::from_chars(colon + 1, end, count)
                                       : std::from_chars_result{at, std::errc::invalid_argument};
    if (bad_count != std::errc() || count == 0 || count > kCountMax ||
        number >= vocabulary_->size() || (rest != end && *rest != ' ')) {
      return BadLineError(
          lines_->name(), lines_->line_number(),
          {.offset = static_cast<std::size_t>(at - line.data()),
           .message = absl::StrCat("wanted NUMBER:COUNT of words 0..", vocabulary_->size() - 1,
                                   " and counts 1..", kCountMax)});
    }
    words.insert(words.end(), count, vocabulary_->text(number));
    at = rest;
  }
  return absl::OkStatus();
}

absl::Status DocumentReader::ReadText(std::string_view line, std::vector<std::string>& words) {
  std::string_view text = line;
  for (std::uint32_t column = 1; spec_.column != 0; ++column) {
    const std::size_t tab = text.find('\t');
    if (column == spec_.column) {
      text = text.substr(0, tab);
      break;
    }
    if (tab == std::string_view::npos) {
      return BadLineError(
          lines_->name(), lines_->line_number(),
          {.offset = line.size(),
           .message = absl::StrCat("has ", column, " columns: wanted column ", spec_.column)});
    }
    text.remove_prefix(tab + 1);
  }
  if (const auto offset = tokenizer_->Cut(text, words)) {
    if (counts_.undecodable++ == 0) {
      counts_.first_undecodable =
          absl::StrCat(lines_->name(), ":", lines_->line_number(), ":",
                       static_cast<std::size_t>(text.data() - line.data()) + *offset + 1);
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<std::vector<std::uint32_t>>> ReadNumbered(const CorpusSpec& spec,
                                                                     const Vocabulary& vocabulary,
                                                                     CorpusCounts& counts) {
  LONGTAIL_ASSIGN_OR_RETURN(const auto reader, DocumentReader::Open(spec));
  std::vector<std::vector<std::uint32_t>> documents;
  Vocabulary unknown;
  std::vector<std::string> words;
  for (;;) {
    LONGTAIL_ASSIGN_OR_RETURN(const bool has_document, reader->Next(words));
    if (!has_document) break;
    if (words.empty()) continue;
    std::vector<std::uint32_t>& document = documents.emplace_back();
    for (const std::string& word : words) {
      const auto known = vocabulary.Find(word);
      document.push_back(known ? *known : vocabulary.size() + unknown.Add(word));
    }
  }
  counts = reader->counts();
  return documents;
}

}  // namespace longtail::examples
