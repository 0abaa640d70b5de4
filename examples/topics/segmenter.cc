#include "examples/topics/segmenter.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace longtail::examples {
namespace {

// The characters that words of the dictionary are made of.
bool IsOfWords(char32_t code) {
  return IsHan(code) || IsAsciiAlphanumeric(code) ||
         std::u32string_view(U"+#&._%-").find(code) != std::u32string_view::npos;
}

absl::StatusOr<std::string> PathOf(const std::string& directory, const std::string& name) {
  for (const char* const ending : {"", ".gz"}) {
    const std::string path = absl::StrCat(directory, "/", name, ending);
    std::error_code error;
    if (std::filesystem::exists(path, error)) return path;
  }
  return absl::NotFoundError(
      absl::StrCat("segmenter '", directory, "': has neither ", name, " nor ", name, ".gz"));
}

}  // namespace

absl::StatusOr<Segmenter> Segmenter::Load(const std::string& directory) {
  LONGTAIL_ASSIGN_OR_RETURN(const std::string dictionary, PathOf(directory, "jieba.dict.utf8"));
  LONGTAIL_ASSIGN_OR_RETURN(const std::string hmm, PathOf(directory, "hmm_model.utf8"));
  LONGTAIL_ASSIGN_OR_RETURN(WordTrie words, WordTrie::Load(dictionary));
  LONGTAIL_ASSIGN_OR_RETURN(SegmentModel model, SegmentModel::Load(hmm));
  return Segmenter(std::move(words), std::move(model));
}

void Segmenter::Cut(std::string_view text, std::span<const Rune> runes,
                    std::vector<std::string_view>& words) {
  const auto byte_of = [&](std::size_t i) {
    return i < runes.size() ? runes[i].begin : text.size();
  };
  for (std::size_t i = 0; i < runes.size();) {
    if (IsBlank(runes[i].code)) {
      ++i;
      continue;
    }
    ends_.clear();
    std::size_t end = i;
    while (end < runes.size() && IsOfWords(runes[end].code)) ++end;
    if (end == i) {
      ends_.push_back(1);
      end = i + 1;
    } else {
      CutRun(runes.subspan(i, end - i));
    }
    std::size_t begin = i;
    for (const std::size_t word_end : ends_) {
      words.push_back(text.substr(byte_of(begin), byte_of(i + word_end) - byte_of(begin)));
      begin = i + word_end;
    }
    i = end;
  }
}

// The likeliest words of a run, from its end to its beginning.
void Segmenter::Route(std::span<const Rune> run) {
  const double log_total =
      std::log(static_cast<double>(std::max<std::uint64_t>(1, words_->total())));
  route_.assign(run.size(), 0);
  score_.assign(run.size() + 1, 0);
  for (std::size_t i = run.size(); i-- > 0;) {
    // A character that is no word counts as one that occurred once. Of equals, the longer.
    score_[i] = score_[i + 1] - log_total;
    route_[i] = i + 1;
    bool has_word = false;
    WordTrie::Node node = WordTrie::kRoot;
    for (std::size_t end = i; end < run.size(); ++end) {
      node = words_->Next(node, run[end].code);
      if (node == WordTrie::kNone) break;
      const std::uint64_t frequency = words_->FrequencyAt(node);
      if (frequency == 0) continue;
      const double score = std::log(static_cast<double>(frequency)) - log_total + score_[end + 1];
      if (has_word && score < score_[i]) continue;
      score_[i] = score;
      route_[i] = end + 1;
      has_word = true;
    }
  }
}

void Segmenter::CutRun(std::span<const Rune> run) {
  Route(run);
  std::size_t singles = 0;  // Where the single characters that wait begin.
  std::size_t i = 0;
  while (i < run.size()) {
    if (route_[i] == i + 1) {
      ++i;
      continue;
    }
    CutSingles(run.subspan(singles, i - singles), singles);
    ends_.push_back(route_[i]);
    i = route_[i];
    singles = i;
  }
  CutSingles(run.subspan(singles), singles);
}

void Segmenter::CutSingles(std::span<const Rune> singles, std::size_t begin) {
  if (singles.empty()) return;
  WordTrie::Node node = WordTrie::kRoot;
  for (const Rune& rune : singles) {
    if (node != WordTrie::kNone) node = words_->Next(node, rune.code);
  }
  const bool is_word = node != WordTrie::kNone && words_->FrequencyAt(node) > 0;
  for (std::size_t i = 0; i < singles.size();) {
    std::size_t end = i + 1;
    if (is_word || singles.size() == 1) {  // The dictionary prefers its characters to it.
    } else if (IsHan(singles[i].code)) {
      while (model_ != nullptr && end < singles.size() && IsHan(singles[end].code)) ++end;
      if (model_ != nullptr) {
        model_ends_.clear();
        model_->Cut(singles.subspan(i, end - i), model_ends_);
        model_ends_.pop_back();  // The end itself comes below.
        for (const std::size_t at : model_ends_) ends_.push_back(begin + i + at);
      }
    } else if (IsAsciiAlphanumeric(singles[i].code)) {
      // A number, its fraction and its percent sign belong together, as do letters and digits.
      const auto digit = [&](std::size_t at) {
        return at < singles.size() && singles[at].code >= '0' && singles[at].code <= '9';
      };
      while (end < singles.size() && IsAsciiAlphanumeric(singles[end].code)) ++end;
      if (end < singles.size() && singles[end].code == '.' && digit(end + 1)) {
        for (++end; digit(end);) ++end;
      }
      if (end < singles.size() && singles[end].code == '%') ++end;
    } else {
      while (end < singles.size() && !IsHan(singles[end].code) &&
             !IsAsciiAlphanumeric(singles[end].code)) {
        ++end;
      }
    }
    ends_.push_back(begin + end);
    i = end;
  }
}

}  // namespace longtail::examples
