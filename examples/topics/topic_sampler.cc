#include "examples/topics/topic_sampler.h"

#include <algorithm>

#include "base/random.h"

namespace longtail::examples {
namespace {

// A word's alias table is made again after as many tokens as it has topics, so it costs as much
// again as a token; that of a word with fewer topics than these is made for every token, since
// there what is stale is much of it.
constexpr std::size_t kFewTopics = 4;

// How far ahead documents are fetched, in tokens.
constexpr std::size_t kFetchAhead = 12;

// The token's own part of its word's table is drawn again, so often at the most.
constexpr int kDrawsMax = 16;

double UnitDouble(std::uint64_t bits) {
  return static_cast<double>(bits >> 11) * 0x1.0p-53;
}

}  // namespace

TopicSampler::TopicSampler(const Priors& priors)
    : beta_(static_cast<float>(priors.beta)),
      beta_sum_(priors.beta_sum()),
      topics_(priors.topic_count()),
      sums_(priors.topic_count()) {
  for (std::size_t k = 0; k < topics_.size(); ++k) {
    topics_[k].alpha = static_cast<float>(priors.alpha[k]);
  }
}

void TopicSampler::SetSums(std::span<const std::int64_t> sums) {
  weights_.resize(topics_.size());
  for (std::size_t k = 0; k < topics_.size(); ++k) {
    Topic& topic = topics_[k];
    topic.sum_change = 0;
    sums_[k] = static_cast<double>(sums[k]) + beta_sum_;
    topic.inverse = static_cast<float>(1 / sums_[k]);
    topic.alpha_inverse = topic.alpha * topic.inverse;
    weights_[k] = topic.alpha_inverse;
  }
  smooth_table_.Build(weights_);
  smooth_mass_ = smooth_table_.total() * beta_;
}

void TopicSampler::TakeSumChanges(CountRows& changes) {
  changes.clear();
  for (std::size_t k = 0; k < topics_.size(); ++k) {
    Topic& topic = topics_[k];
    if (topic.sum_change == 0) continue;
    changes.columns.push_back(static_cast<std::uint32_t>(k));
    changes.counts.push_back(topic.sum_change);
    sums_[k] += topic.sum_change;
    topic.sum_change = 0;
  }
  changes.ends.push_back(changes.columns.size());
}

inline void TopicSampler::Change(std::uint32_t k, std::int32_t by) {
  Topic& topic = topics_[k];
  topic.count += by;
  topic.sum_change += by;
  topic.inverse = 1 / static_cast<float>(sums_[k] + topic.sum_change);
}

void TopicSampler::MakeWordTable() {
  for (const std::uint32_t k : aliased_) topics_[k].stale = 0;
  aliased_.clear();
  weights_.clear();
  for (const std::uint32_t k : listed_) {
    Topic& topic = topics_[k];
    if (topic.count <= 0) continue;
    topic.stale = topic.count;
    aliased_.push_back(k);
    weights_.push_back(topic.alpha_inverse * static_cast<float>(topic.count));
  }
  word_table_.Build(weights_);
  word_mass_ = word_table_.total();
}

void TopicSampler::SampleWord(const TokenBlock& block, std::size_t word, const CountRows& rows,
                              std::size_t row, std::uint64_t stream,
                              std::span<std::uint32_t> topics, DocumentTopics& documents,
                              CountRows& changes) {
  for (std::size_t i = rows.begin(row); i < rows.ends[row]; ++i) {
    Topic& topic = topics_[rows.columns[i]];
    topic.count = static_cast<std::int32_t>(rows.counts[i]);
    topic.before = topic.count;
    List(rows.columns[i]);
  }
  const std::size_t end = block.ends[word];
  std::uint64_t counter = 0;
  std::size_t left = 0;  // Tokens for which the alias table is good.
  for (std::size_t i = block.begin(word); i < end; ++i) {
    if (left == 0) {
      MakeWordTable();
      left = listed_.size() < kFewTopics ? 1 : listed_.size();
    }
    --left;
    if (i + kFetchAhead < end) documents.Prefetch(block.documents[i + kFetchAhead]);
    const std::uint32_t document = block.documents[i];
    const std::uint32_t old = topics[i];
    std::uint32_t drawn = 0;
    Topic before;
    if (old == kNoTopic) {  // To begin with, every topic is as good as another.
      drawn =
          static_cast<std::uint32_t>(((RandomAt(stream, counter++) >> 32) * topics_.size()) >> 32);
    } else {
      before = topics_[old];
      documents.Remove(document, old);
      Change(old, -1);
      drawn = Draw(documents.Of(document), old, stream, counter);
    }
    documents.Add(document, drawn);
    if (drawn == old) {  // As a rule, once a training is under way: nothing to compute again.
      topics_[old] = before;
      continue;
    }
    Change(drawn, 1);
    List(drawn);
    topics[i] = drawn;
    ++moved_;
  }
  for (const std::uint32_t k : aliased_) topics_[k].stale = 0;
  aliased_.clear();
  const std::size_t first = changes.columns.size();
  for (const std::uint32_t k : listed_) {
    if (topics_[k].count != topics_[k].before) changes.columns.push_back(k);
  }
  std::sort(changes.columns.begin() + static_cast<std::ptrdiff_t>(first), changes.columns.end());
  for (std::size_t i = first; i < changes.columns.size(); ++i) {
    const Topic& topic = topics_[changes.columns[i]];
    changes.counts.push_back(topic.count - topic.before);
  }
  changes.ends.push_back(changes.columns.size());
  for (const std::uint32_t k : listed_) {
    topics_[k].count = 0;
    topics_[k].before = 0;
    topics_[k].is_listed = false;
  }
  listed_.clear();
}

// One Metropolis-Hastings step from `old`.
std::uint32_t TopicSampler::Draw(std::span<const DocumentTopics::Entry> document, std::uint32_t old,
                                 std::uint64_t stream, std::uint64_t& counter) {
  if (document_.size() < document.size()) document_.resize(document.size());
  double document_mass = 0;
  float old_count = 0;  // n_dk of the old topic.
  for (std::size_t j = 0; j < document.size(); ++j) {
    const Topic& topic = topics_[document[j].topic];
    const auto count = static_cast<float>(document[j].count);
    if (document[j].topic == old) old_count = count;
    document_mass += count * (static_cast<float>(topic.count) + beta_) * topic.inverse;
    document_[j] = document_mass;
  }
  // What is proposed may not depend on the topic that the token has, so its own part is left out.
  const double own_mass = topics_[old].alpha_inverse;
  const double word_mass = std::max(0.0, word_mass_ - own_mass);
  const double place =
      UnitDouble(RandomAt(stream, counter++)) * (document_mass + word_mass + smooth_mass_);
  std::uint32_t proposed = 0;
  float proposed_count = 0;
  if (place < document_mass) {
    std::size_t j = 0;
    while (j + 1 < document.size() && document_[j] <= place) ++j;
    proposed = document[j].topic;
    proposed_count = static_cast<float>(document[j].count);
  } else {
    if (place < document_mass + word_mass) {
      for (int i = 0; i < kDrawsMax; ++i) {
        proposed = aliased_[word_table_.Pick(RandomAt(stream, counter++))];
        if (proposed != old) break;
        const auto stale = static_cast<float>(topics_[old].stale);
        if (UnitFloat(RandomAt(stream, counter++)) * stale >= 1) break;
      }
    } else {
      proposed = smooth_table_.Pick(RandomAt(stream, counter++));
    }
    for (const DocumentTopics::Entry& entry : document) {
      if (entry.topic == proposed) proposed_count = static_cast<float>(entry.count);
    }
  }
  if (proposed == old) return old;
  const auto exact = [&](const Topic& topic, float in_document) {
    return (in_document + topic.alpha) * (static_cast<float>(topic.count) + beta_) * topic.inverse;
  };
  const auto proposal = [&](const Topic& topic, float in_document, std::int32_t stale) {
    return in_document * (static_cast<float>(topic.count) + beta_) * topic.inverse +
           topic.alpha_inverse * (static_cast<float>(stale) + beta_);
  };
  const Topic& from = topics_[old];
  const Topic& to = topics_[proposed];
  const float forth = exact(to, proposed_count) * proposal(from, old_count, from.stale - 1);
  const float back = exact(from, old_count) * proposal(to, proposed_count, to.stale);
  return forth >= back || UnitFloat(RandomAt(stream, counter++)) * back < forth ? proposed : old;
}

}  // namespace longtail::examples
