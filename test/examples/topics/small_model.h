// A model of two topics, small enough to know its answers.
#pragma once

#include "examples/topics/topic_model.h"

namespace longtail::examples::test {

/// Topic 0 has wine (红酒 30, 葡萄 10), topic 1 soup (木瓜 1, 汤 20), and 好 is in both.
inline TopicModel SmallModel() {
  TopicModel model;
  model.text = TextKind::kChinese;
  model.priors = {.alpha = {0.1, 0.1}, .beta = 0.01, .vocabulary_size = 6};
  const auto add = [&](const char* word, std::int64_t wine, std::int64_t soup) {
    model.vocabulary.Add(word);
    for (const auto& [topic, count] : {std::pair(0U, wine), std::pair(1U, soup)}) {
      if (count == 0) continue;
      model.counts.rows.columns.push_back(topic);
      model.counts.rows.counts.push_back(count);
    }
    model.counts.rows.ends.push_back(model.counts.rows.columns.size());
  };
  add("红酒", 30, 0);
  add("葡萄", 10, 0);
  add("木瓜", 0, 1);
  add("汤", 0, 20);
  add("好", 25, 26);
  add("<b>", 0, 3);
  model.counts.sums = {65, 50};
  return model;
}

}  // namespace longtail::examples::test
