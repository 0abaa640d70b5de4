// What a topic model says of a text: its words with their weights, its topics with theirs.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "examples/common/report/text_table.h"
#include "examples/topics/topic_model.h"

namespace longtail::examples {

struct QueryWord {
  std::string text;
  bool is_seen = false;     ///< Whether the model has it: one that it has not says nothing.
  std::int64_t tokens = 0;  ///< How often it was trained on.
  /// What it tells of the topics, as a share of what all words of the text tell: the divergence of
  /// the topics given the word from the topics of the whole corpus. 0 for one that is not seen.
  double weight = 0;
};

struct WordProbability {
  std::string text;
  double probability = 0;
};

struct QueryTopic {
  std::uint32_t id = 0;
  std::uint32_t rank = 0;              ///< From 1, by weight.
  double weight = 0;                   ///< Its share of the text.
  std::vector<WordProbability> words;  ///< Its likeliest words.
};

struct QueryAnswer {
  std::string text;
  std::vector<QueryWord> words;
  std::vector<QueryTopic> topics;
  std::string note;  ///< Why there are no topics; empty if there are.
};

struct QueryOptions {
  std::size_t topics_max = 5;
  std::size_t words_max = 8;  ///< Of a topic.
};

/// The longest text that is answered, in bytes.
inline constexpr std::size_t kQueryBytesMax = 4096;

/// Answers texts from a model in memory.
///
/// Thread: any; calls may overlap.
class TopicQuery {
 public:
  /// Cuts texts as the corpus was: with `segmenter`, a directory as Segmenter::Load wants it; or if
  /// that is empty, Chinese along the words that the model has.
  ///
  /// Errors: those of Segmenter::Load.
  static absl::StatusOr<TopicQuery> Make(TopicModel model, const std::string& segmenter,
                                         const QueryOptions& options);

  /// Errors: InvalidArgument (no text, not UTF-8, too long), naming what was wanted.
  absl::StatusOr<QueryAnswer> Answer(std::string_view text) const;

  const TopicModel& model() const { return *model_; }

 private:
  TopicQuery(TopicModel model, Tokenizer tokenizer, const QueryOptions& options);

  void Weigh(std::uint32_t word, QueryWord& answer) const;

  std::unique_ptr<const TopicModel> model_;
  Tokenizer tokenizer_;
  QueryOptions options_;
  std::vector<std::vector<TopWord>> top_;
  std::vector<double> share_;  // Of each topic in the corpus.
};

/// The answer for a terminal, for a program, and as the body of a page. Nothing in the text can
/// leave its place: it is made safe.
std::string ToText(const QueryAnswer& answer, TerminalStyle style);
std::string ToJson(const QueryAnswer& answer);
std::string ToHtml(const QueryAnswer& answer);

}  // namespace longtail::examples
