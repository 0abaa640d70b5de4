// A trained topic model in memory, and its file.
//
// The file is gzip of text, one fact a line, so it can be read without this program:
//
//   longtail-topics 1
//   text chinese                     how texts are cut: words | chinese
//   vocabulary_size 160000           V, words that a topic may have
//   beta 0.01
//   topics 100
//   alpha 0.05                       one for all topics, or as many as there are topics
//   WORD<tab>TOPIC:COUNT …           a line a word
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "examples/topics/perplexity.h"
#include "examples/topics/priors.h"
#include "examples/topics/tokenizer.h"
#include "examples/topics/vocabulary.h"

namespace longtail::examples {

struct TopicModel {
  TextKind text = TextKind::kWords;
  Priors priors;
  Vocabulary vocabulary;
  ModelCounts counts;  ///< Rows by the vocabulary's numbers.

  /// Writes the file in the place of one that is there, whole or not at all. Words without a token
  /// keep their line, so numbers stay.
  ///
  /// Errors: Unavailable naming the file (is the disk full?).
  absl::Status Save(const std::string& path) const;

  /// Errors: NotFound; InvalidArgument naming file, line and what was wanted; DataLoss (gzip).
  static absl::StatusOr<TopicModel> Load(const std::string& path);

  /// How many tokens a word had.
  std::int64_t TokensOf(std::uint32_t word) const;
};

struct TopWord {
  std::uint32_t word = 0;
  double probability = 0;  ///< In the topic: (n_wk + beta) / (n_k + V beta).
};

/// The `count` likeliest words of each topic, [topics]; fewer if it has fewer. Of equals, the one
/// with the lower number.
std::vector<std::vector<TopWord>> TopWords(const TopicModel& model, std::size_t count);

}  // namespace longtail::examples
