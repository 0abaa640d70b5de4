#include <utility>

#include "absl/strings/str_cat.h"
#include "examples/common/report/html_element.h"
#include "examples/common/report/number_text.h"
#include "examples/common/report/safe_text.h"
#include "examples/topics/topic_query.h"
#include "nlohmann/json.hpp"

namespace longtail::examples {
namespace {

constexpr const char* kUnseen = "not in the model: says nothing";

std::vector<std::string> CellsOf(const QueryWord& word) {
  return {word.text, FixedText(word.weight, 3),
          word.is_seen ? GroupedText(static_cast<std::uint64_t>(word.tokens)) : kUnseen};
}

std::vector<std::string> CellsOf(const QueryTopic& topic) {
  std::string words;
  for (const WordProbability& word : topic.words) {
    absl::StrAppend(&words, words.empty() ? "" : "  ", word.text, " ",
                    FixedText(word.probability, 4));
  }
  return {absl::StrCat(topic.rank), absl::StrCat(topic.id), FixedText(topic.weight, 3),
          std::move(words)};
}

const std::vector<std::string> kWordHeader = {"word", "weight", "seen in training"};
const std::vector<std::string> kTopicHeader = {"rank", "topic", "weight", "likeliest words"};

template <typename Entry>
std::vector<std::vector<std::string>> RowsOf(const std::vector<Entry>& entries) {
  std::vector<std::vector<std::string>> rows;
  for (const Entry& entry : entries) rows.push_back(CellsOf(entry));
  return rows;
}

}  // namespace

std::string ToText(const QueryAnswer& answer, TerminalStyle style) {
  std::string text =
      TextOf({.title = "Words", .header = kWordHeader, .rows = RowsOf(answer.words)}, style);
  if (!answer.note.empty()) return absl::StrCat(text, "\n", answer.note, "\n");
  return absl::StrCat(
      text, "\n",
      TextOf({.title = "Topics", .header = kTopicHeader, .rows = RowsOf(answer.topics)}, style));
}

std::string ToJson(const QueryAnswer& answer) {
  nlohmann::json words = nlohmann::json::array();
  for (const QueryWord& word : answer.words) {
    words.push_back({{"text", word.text},
                     {"weight", word.weight},
                     {"seen", word.is_seen},
                     {"tokens", word.tokens}});
  }
  nlohmann::json topics = nlohmann::json::array();
  for (const QueryTopic& topic : answer.topics) {
    nlohmann::json likeliest = nlohmann::json::array();
    for (const WordProbability& word : topic.words) {
      likeliest.push_back({{"text", word.text}, {"probability", word.probability}});
    }
    topics.push_back({{"id", topic.id},
                      {"rank", topic.rank},
                      {"weight", topic.weight},
                      {"words", std::move(likeliest)}});
  }
  nlohmann::json json = {
      {"query", answer.text}, {"words", std::move(words)}, {"topics", std::move(topics)}};
  if (!answer.note.empty()) json["note"] = answer.note;
  return json.dump(2) + "\n";
}

std::string ToHtml(const QueryAnswer& answer) {
  std::string html =
      TableElement({.caption = "Words", .header = kWordHeader, .rows = RowsOf(answer.words)});
  if (!answer.note.empty()) return html + Paragraph(answer.note);
  return html +
         TableElement({.caption = "Topics", .header = kTopicHeader, .rows = RowsOf(answer.topics)});
}

}  // namespace longtail::examples
