#include "examples/topics/gibbs_sampler.h"

#include <algorithm>
#include <utility>

namespace longtail::examples {

GibbsSampler::GibbsSampler(std::vector<std::vector<std::uint32_t>> documents, Priors priors,
                           std::uint64_t seed)
    : documents_(std::move(documents)),
      priors_(std::move(priors)),
      random_(seed),
      word_topics_(priors_.vocabulary_size * priors_.topic_count()),
      sums_(priors_.topic_count()),
      document_topics_(priors_.topic_count()),
      running_(priors_.topic_count()) {
  const std::uint32_t topics = priors_.topic_count();
  for (const auto& document : documents_) {
    auto& mine = topics_.emplace_back();
    for (const std::uint32_t word : document) {
      mine.push_back(static_cast<std::uint32_t>(random_.Below(topics)));
      ++word_topics_[std::size_t{word} * topics + mine.back()];
      ++sums_[mine.back()];
    }
  }
}

void GibbsSampler::Sweep() {
  const std::uint32_t topic_count = priors_.topic_count();
  const double beta_sum = priors_.beta_sum();
  for (std::size_t d = 0; d < documents_.size(); ++d) {
    for (const std::uint32_t topic : topics_[d]) ++document_topics_[topic];
    for (std::size_t i = 0; i < documents_[d].size(); ++i) {
      std::int32_t* const word = &word_topics_[std::size_t{documents_[d][i]} * topic_count];
      std::uint32_t& topic = topics_[d][i];
      --word[topic];
      --sums_[topic];
      --document_topics_[topic];
      double total = 0;
      for (std::uint32_t k = 0; k < topic_count; ++k) {
        total += (document_topics_[k] + priors_.alpha[k]) * (word[k] + priors_.beta) /
                 (static_cast<double>(sums_[k]) + beta_sum);
        running_[k] = total;
      }
      const double place = static_cast<double>(random_.Next() >> 11) * 0x1.0p-53 * total;
      const auto found = std::upper_bound(running_.begin(), running_.end() - 1, place);
      topic = static_cast<std::uint32_t>(found - running_.begin());
      ++word[topic];
      ++sums_[topic];
      ++document_topics_[topic];
    }
    for (const std::uint32_t topic : topics_[d]) document_topics_[topic] = 0;
  }
}

}  // namespace longtail::examples
