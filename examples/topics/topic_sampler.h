// Draws new topics for the tokens of a block, one word after the other.
//
// For a token of word w in document d the collapsed conditional is
//
//     p(k) ~ (n_dk + alpha_k) (n_wk + beta) / (n_k + V beta)
//
// with the token itself left out. It is split in three: a sum over the topics of the document
// (n_dk, exact), one over the topics of the word (alpha_k n_wk, an alias table made when the word's
// turn begins and again as it changes) and one over all topics (alpha_k beta, an alias table made
// when the topics' sums come). So a token costs as many steps as its document has topics, a word as
// many as it has, and none grows with the number of topics. The last two are a little stale; a
// Metropolis-Hastings step against the true conditional makes up for that.
//
// Source: Li, Ahmed, Ravi, Smola, "Reducing the Sampling Complexity of Topic Models", KDD 2014; the
//         split is that of Yao, Mimno, McCallum, "Efficient Methods for Topic Model Inference on
//         Streaming Document Collections", KDD 2009; words one after the other as in Chen, Li,
//         Zhu, Chen, "WarpLDA", VLDB 2016.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "examples/topics/alias_table.h"
#include "examples/topics/priors.h"
#include "examples/topics/token_block.h"
#include "longtail/count_rows.h"

namespace longtail::examples {

/// Thread: one owner.
class TopicSampler {
 public:
  explicit TopicSampler(const Priors& priors);

  /// Takes how many tokens each topic has, [topics], with all that this sampler changed.
  ///
  /// Cost: linear in the topics.
  void SetSums(std::span<const std::int64_t> sums);

  /// Draws topics for all tokens of word `word` of `block`, whose row of `rows` is `row`. Appends
  /// what changed in the word's row to `changes`.
  ///
  /// Shapes: topics [tokens of the block]; documents counts the same topics.
  /// `stream` is a start of random numbers of its own, see RandomStream.
  void SampleWord(const TokenBlock& block, std::size_t word, const CountRows& rows, std::size_t row,
                  std::uint64_t stream, std::span<std::uint32_t> topics, DocumentTopics& documents,
                  CountRows& changes);

  /// Sets `changes` to one row: what has changed in the topics' sums since the last call.
  void TakeSumChanges(CountRows& changes);

  /// Tokens that have another topic than before, since this sampler was made.
  std::uint64_t moved() const { return moved_; }

 private:
  // All that a token needs to know of a topic, half a cache line.
  struct Topic {
    std::int32_t count = 0;   // Of the word that has its turn, n_wk.
    std::int32_t before = 0;  // n_wk when the turn began.
    std::int32_t stale = 0;   // n_wk when its alias table was made.
    std::int32_t sum_change = 0;
    float alpha = 0;
    float inverse = 0;        // 1 / (n_k + V beta)
    float alpha_inverse = 0;  // alpha / (n_k + V beta), when the sums came.
    bool is_listed = false;   // In listed_.
  };

  void List(std::uint32_t topic) {
    if (topics_[topic].is_listed) return;
    topics_[topic].is_listed = true;
    listed_.push_back(topic);
  }
  void Change(std::uint32_t topic, std::int32_t by);
  void MakeWordTable();
  std::uint32_t Draw(std::span<const DocumentTopics::Entry> document, std::uint32_t old,
                     std::uint64_t stream, std::uint64_t& counter);

  const float beta_;
  const double beta_sum_;
  std::vector<Topic> topics_;
  std::vector<double> sums_;            // n_k + V beta, but for sum_change.
  std::vector<std::uint32_t> listed_;   // Topics that the word has, or had in its turn.
  std::vector<std::uint32_t> aliased_;  // Those that the word's alias table has.
  std::vector<float> weights_;          // Of an alias table that is made.
  std::vector<double> document_;        // Running sums over the document's topics.
  AliasTable word_table_;
  AliasTable smooth_table_;
  double word_mass_ = 0;
  double smooth_mass_ = 0;
  std::uint64_t moved_ = 0;
};

}  // namespace longtail::examples
