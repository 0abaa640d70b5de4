#include "examples/topics/topic_model.h"

#include <zlib.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <numeric>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/status_macros.h"
#include "examples/common/data/byte_source.h"
#include "examples/common/data/line_problem.h"
#include "examples/common/data/line_reader.h"
#include "examples/common/data/parse_number.h"

namespace longtail::examples {
namespace {

constexpr std::string_view kFirstLine = "longtail-topics 1";
constexpr std::uint32_t kTopicCountMax = 1U << 20;  // The widest count table.

// Reads the lines of one file.
class ModelReader {
 public:
  explicit ModelReader(LineReader& lines) : lines_(lines) {}

  absl::StatusOr<TopicModel> Read() {
    LONGTAIL_ASSIGN_OR_RETURN(std::string_view text, Head(""));
    if (text != kFirstLine) return Bad(absl::StrCat("wanted '", std::string(kFirstLine), "'"));
    LONGTAIL_ASSIGN_OR_RETURN(text, Head("text "));
    if (text != "words" && text != "chinese") return Bad("wanted text words or chinese");
    TopicModel model;
    model.text = text == "words" ? TextKind::kWords : TextKind::kChinese;
    LONGTAIL_ASSIGN_OR_RETURN(const double size, Number("vocabulary_size ", 1, 1e12));
    LONGTAIL_ASSIGN_OR_RETURN(model.priors.beta, Number("beta ", 1e-12, 1e6));
    LONGTAIL_ASSIGN_OR_RETURN(const double topics, Number("topics ", 1, kTopicCountMax));
    model.priors.vocabulary_size = static_cast<std::uint64_t>(size);
    LONGTAIL_RETURN_IF_ERROR(ReadAlpha(static_cast<std::size_t>(topics), model.priors));
    model.counts.sums.resize(model.priors.topic_count());
    for (;;) {
      LONGTAIL_ASSIGN_OR_RETURN(const bool has_line, lines_.Next(line_));
      if (!has_line) return model;
      LONGTAIL_RETURN_IF_ERROR(ReadWord(model));
    }
  }

 private:
  absl::Status Bad(std::string message) const {
    return BadLineError(lines_.name(), lines_.line_number(),
                        {.offset = 0, .message = std::move(message)});
  }

  // What follows `name` in the next line.
  absl::StatusOr<std::string_view> Head(std::string_view name) {
    LONGTAIL_ASSIGN_OR_RETURN(const bool has_line, lines_.Next(line_));
    if (has_line && line_.substr(0, name.size()) == name) return line_.substr(name.size());
    return Bad(absl::StrCat("wanted '", std::string(name), "…' of a topic model"));
  }

  absl::StatusOr<double> Number(std::string_view name, double least, double most) {
    LONGTAIL_ASSIGN_OR_RETURN(const std::string_view text, Head(name));
    const auto number = ParseNumber(text);
    if (number && *number >= least && *number <= most) return *number;
    return Bad(
        absl::StrCat(std::string(name), "is ", Quoted(text), ": wanted ", least, "..", most));
  }

  absl::Status ReadAlpha(std::size_t topics, Priors& priors) {
    LONGTAIL_ASSIGN_OR_RETURN(std::string_view text, Head("alpha "));
    while (!text.empty()) {
      const std::size_t end = std::min(text.find(' '), text.size());
      const auto number = ParseNumber(text.substr(0, end));
      if (!number || *number <= 0) return Bad("alpha: wanted numbers above 0");
      priors.alpha.push_back(*number);
      text.remove_prefix(std::min(end + 1, text.size()));
    }
    if (priors.alpha.size() == 1) priors.alpha.resize(topics, priors.alpha[0]);
    if (priors.alpha.size() == topics) return absl::OkStatus();
    return Bad(absl::StrCat("alpha: ", priors.alpha.size(), " numbers: wanted 1 or ", topics));
  }

  absl::Status ReadWord(TopicModel& model) {
    const std::size_t tab = line_.find('\t');
    const std::uint32_t number = model.vocabulary.size();
    if (tab == 0 || tab == std::string_view::npos ||
        model.vocabulary.Add(line_.substr(0, tab)) != number) {
      return Bad("wanted a new word, a tab and its topics");
    }
    CountRows& rows = model.counts.rows;
    const char* const end = line_.data() + line_.size();
    std::int64_t before = -1;
    for (const char* at = line_.data() + tab + 1; at < end;) {
      std::uint32_t topic = 0;
      std::int64_t count = 0;
      const auto [colon, bad_topic] = std::from_chars(at, end, topic);
      const auto [rest, bad_count] = bad_topic == std::errc() && colon != end && *colon == ':'
                                         ? std::from_chars(colon + 1, end, count)
                                         : std::from_chars_result{at, std::errc::invalid_argument};
      if (bad_count != std::errc() || topic >= model.priors.topic_count() || topic <= before ||
          count < 1 || (rest != end && *rest != ' ')) {
        return Bad(absl::StrCat("wanted TOPIC:COUNT, ascending topics 0..",
                                model.priors.topic_count() - 1, " and counts from 1"));
      }
      before = topic;
      rows.columns.push_back(topic);
      rows.counts.push_back(count);
      model.counts.sums[topic] += count;
      at = rest == end ? end : rest + 1;
    }
    rows.ends.push_back(rows.columns.size());
    return absl::OkStatus();
  }

  LineReader& lines_;
  std::string_view line_;
};

}  // namespace

absl::Status TopicModel::Save(const std::string& path) const {
  const std::string part = path + ".part";
  gzFile file = gzopen(part.c_str(), "wb9");
  bool is_fine = file != nullptr;
  const auto write = [&](const std::string& piece) {
    is_fine = is_fine && (piece.empty() ||
                          gzwrite(file, piece.data(), static_cast<unsigned>(piece.size())) > 0);
  };
  write(absl::StrCat(std::string(kFirstLine), "\ntext ", NameOf(text), "\nvocabulary_size ",
                     priors.vocabulary_size, absl::StrFormat("\nbeta %.17g", priors.beta),
                     "\ntopics ", priors.topic_count(), "\nalpha"));
  const bool is_same = std::ranges::all_of(
      priors.alpha, [&](double value) { return value == priors.alpha.front(); });
  for (std::size_t k = 0; k < (is_same ? 1 : priors.alpha.size()); ++k) {
    write(absl::StrFormat(" %.17g", priors.alpha[k]));
  }
  write("\n");
  std::string line;
  for (std::uint32_t word = 0; word < vocabulary.size(); ++word) {
    line = vocabulary.text(word);
    for (std::size_t i = counts.rows.begin(word); i < counts.rows.ends[word]; ++i) {
      absl::StrAppend(&line, i == counts.rows.begin(word) ? "\t" : " ", counts.rows.columns[i], ":",
                      counts.rows.counts[i]);
    }
    if (counts.rows.begin(word) == counts.rows.ends[word]) line += '\t';
    line += '\n';
    write(line);
  }
  if (file != nullptr) is_fine = gzclose(file) == Z_OK && is_fine;
  std::error_code error;
  if (is_fine) std::filesystem::rename(part, path, error);
  if (is_fine && !error) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat("'", path, "': cannot be written; is the disk full?"));
}

absl::StatusOr<TopicModel> TopicModel::Load(const std::string& path) {
  LONGTAIL_ASSIGN_OR_RETURN(auto source, OpenFile(path));
  LineReader lines(path, std::move(source));
  return ModelReader(lines).Read();
}

std::int64_t TopicModel::TokensOf(std::uint32_t word) const {
  std::int64_t tokens = 0;
  for (std::size_t i = counts.rows.begin(word); i < counts.rows.ends[word]; ++i) {
    tokens += counts.rows.counts[i];
  }
  return tokens;
}

std::vector<std::vector<TopWord>> TopWords(const TopicModel& model, std::size_t count) {
  std::vector<std::vector<TopWord>> top(model.priors.topic_count());
  const auto is_above = [](const TopWord& a, const TopWord& b) {
    return a.probability != b.probability ? a.probability > b.probability : a.word < b.word;
  };
  const CountRows& rows = model.counts.rows;
  for (std::uint32_t word = 0; word < rows.size(); ++word) {
    for (std::size_t i = rows.begin(word); i < rows.ends[word]; ++i) {
      const std::uint32_t k = rows.columns[i];
      const TopWord entry = {
          .word = word,
          .probability = (static_cast<double>(rows.counts[i]) + model.priors.beta) /
                         (static_cast<double>(model.counts.sums[k]) + model.priors.beta_sum())};
      std::vector<TopWord>& best = top[k];
      if (best.size() == count && !is_above(entry, best.back())) continue;
      best.insert(std::ranges::upper_bound(best, entry, is_above), entry);
      if (best.size() > count) best.pop_back();
    }
  }
  return top;
}

}  // namespace longtail::examples
