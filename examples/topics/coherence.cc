#include "examples/topics/coherence.h"

#include <algorithm>
#include <cmath>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"

namespace longtail::examples {
namespace {

std::uint64_t PairOf(std::uint32_t a, std::uint32_t b) {
  return (std::uint64_t{std::min(a, b)} << 32) | std::max(a, b);
}

}  // namespace

Coherence MeasureCoherence(const TopicModel& model,
                           std::span<const std::vector<std::uint32_t>> documents,
                           std::size_t words) {
  const auto top = TopWords(model, words);
  absl::flat_hash_map<std::uint64_t, std::uint64_t> pairs;  // In how many documents.
  absl::flat_hash_map<std::uint32_t, std::uint64_t> singles;
  for (const auto& topic : top) {
    for (std::size_t i = 0; i < topic.size(); ++i) {
      singles.try_emplace(topic[i].word, 0);
      for (std::size_t j = 0; j < i; ++j)
        pairs.try_emplace(PairOf(topic[i].word, topic[j].word), 0);
    }
  }
  std::vector<std::uint32_t> here;
  for (const auto& document : documents) {
    here.clear();
    for (const std::uint32_t word : document) {
      if (singles.contains(word)) here.push_back(word);
    }
    std::ranges::sort(here);
    here.erase(std::unique(here.begin(), here.end()), here.end());
    for (std::size_t i = 0; i < here.size(); ++i) {
      ++singles[here[i]];
      for (std::size_t j = 0; j < i; ++j) {
        if (const auto pair = pairs.find(PairOf(here[i], here[j])); pair != pairs.end()) {
          ++pair->second;
        }
      }
    }
  }
  Coherence result;
  const double total = static_cast<double>(documents.size());
  std::uint64_t measured = 0;
  for (const auto& topic : top) {
    double sum = 0;
    std::uint64_t count = 0;
    for (std::size_t i = 0; i < topic.size(); ++i) {
      for (std::size_t j = 0; j < i; ++j) {
        const double a = static_cast<double>(singles[topic[i].word]);
        const double b = static_cast<double>(singles[topic[j].word]);
        const double both = static_cast<double>(pairs[PairOf(topic[i].word, topic[j].word)]);
        if (a == 0 || b == 0) continue;
        ++count;
        if (both == total) {
          sum += 1;
        } else {
          sum += both == 0 ? -1 : std::log(both * total / (a * b)) / -std::log(both / total);
        }
      }
    }
    result.by_topic.push_back(count == 0 ? std::nan("") : sum / static_cast<double>(count));
    if (count == 0) continue;
    result.mean += result.by_topic.back();
    ++measured;
  }
  result.mean = measured == 0 ? std::nan("") : result.mean / static_cast<double>(measured);
  return result;
}

}  // namespace longtail::examples
