#include "examples/topics/topic_query.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "examples/topics/perplexity.h"

namespace longtail::examples {

absl::StatusOr<TopicQuery> TopicQuery::Make(TopicModel model, const std::string& segmenter,
                                            const QueryOptions& options) {
  if (model.text == TextKind::kWords) {
    Tokenizer tokenizer(std::nullopt);
    return TopicQuery(std::move(model), std::move(tokenizer), options);
  }
  if (!segmenter.empty()) {
    LONGTAIL_ASSIGN_OR_RETURN(
        Tokenizer tokenizer,
        Tokenizer::Make({.kind = TextKind::kChinese, .segmenter = segmenter, .stop_words = ""}));
    return TopicQuery(std::move(model), std::move(tokenizer), options);
  }
  WordTrie words;
  for (std::uint32_t word = 0; word < model.vocabulary.size(); ++word) {
    words.Add(model.vocabulary.text(word), static_cast<std::uint64_t>(model.TokensOf(word)));
  }
  Tokenizer tokenizer(Segmenter(std::move(words), std::nullopt));
  return TopicQuery(std::move(model), std::move(tokenizer), options);
}

TopicQuery::TopicQuery(TopicModel model, Tokenizer tokenizer, const QueryOptions& options)
    : model_(std::make_unique<const TopicModel>(std::move(model))),
      tokenizer_(std::move(tokenizer)),
      options_(options),
      top_(TopWords(*model_, options.words_max)) {
  const auto& sums = model_->counts.sums;
  const double total = std::max(
      1.0, static_cast<double>(std::accumulate(sums.begin(), sums.end(), std::int64_t{0})));
  for (const std::int64_t sum : sums) share_.push_back(static_cast<double>(sum) / total);
}

// The divergence of p(k | w) ~ share_k p(w | k) from share_k, not yet a share of the text's.
void TopicQuery::Weigh(std::uint32_t word, QueryWord& answer) const {
  const Priors& priors = model_->priors;
  const ModelCounts& counts = model_->counts;
  answer.is_seen = true;
  std::vector<double> posterior(share_.size());
  for (std::size_t k = 0; k < posterior.size(); ++k) {
    posterior[k] =
        share_[k] * priors.beta / (static_cast<double>(counts.sums[k]) + priors.beta_sum());
  }
  for (std::size_t i = counts.rows.begin(word); i < counts.rows.ends[word]; ++i) {
    const std::uint32_t k = counts.rows.columns[i];
    const auto count = static_cast<double>(counts.rows.counts[i]);
    posterior[k] *= (count + priors.beta) / priors.beta;
    answer.tokens += counts.rows.counts[i];
  }
  const double total = std::accumulate(posterior.begin(), posterior.end(), 0.0);
  for (std::size_t k = 0; k < posterior.size(); ++k) {
    const double p = posterior[k] / total;
    if (p > 0) answer.weight += p * std::log(p / share_[k]);
  }
  answer.weight = std::max(0.0, answer.weight);
}

absl::StatusOr<QueryAnswer> TopicQuery::Answer(std::string_view text) const {
  if (text.size() > kQueryBytesMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("query: has ", text.size(), " bytes: wanted at most ", kQueryBytesMax));
  }
  Tokenizer tokenizer = tokenizer_;
  std::vector<std::string> words;
  if (const auto offset = tokenizer.Cut(text, words)) {
    return absl::InvalidArgumentError(
        absl::StrCat("query: byte ", *offset + 1, " begins no UTF-8 character"));
  }
  if (words.empty()) {
    return absl::InvalidArgumentError("query: has no word: wanted at least one");
  }
  QueryAnswer answer;
  answer.text = std::string(text);
  std::vector<std::uint32_t> known;
  double told = 0;
  for (std::string& word : words) {
    QueryWord& entry = answer.words.emplace_back();
    const auto number = model_->vocabulary.Find(word);
    entry.text = std::move(word);
    if (!number || model_->TokensOf(*number) == 0) continue;
    Weigh(*number, entry);
    told += entry.weight;
    known.push_back(*number);
  }
  for (QueryWord& word : answer.words) word.weight = told > 0 ? word.weight / told : 0;
  if (known.empty()) {
    answer.note = "The model has none of these words, so it cannot say what they are about.";
    return answer;
  }
  std::ranges::sort(known);
  std::vector<double> theta;
  FoldIn(model_->counts, model_->priors).Run(known, theta);
  std::vector<std::uint32_t> order(theta.size());
  std::iota(order.begin(), order.end(), 0U);
  std::ranges::stable_sort(order, [&](auto a, auto b) { return theta[a] > theta[b]; });
  for (std::size_t i = 0; i < std::min(options_.topics_max, order.size()); ++i) {
    const std::uint32_t k = order[i];
    QueryTopic& topic = answer.topics.emplace_back();
    topic.id = k;
    topic.rank = static_cast<std::uint32_t>(i + 1);
    topic.weight = theta[k];
    for (const TopWord& word : top_[k]) {
      topic.words.push_back(
          {.text = model_->vocabulary.text(word.word), .probability = word.probability});
    }
  }
  return answer;
}

}  // namespace longtail::examples
