#include "examples/topics/served_word_topics.h"

#include <catch2/catch.hpp>

#include "base/random.h"
#include "examples/topics/block_sweep.h"
#include "examples/topics/local_word_topics.h"
#include "examples/topics/small_corpus.h"
#include "examples/topics/text_files.h"

namespace longtail::examples {
namespace {

TEST_CASE("counts on a cluster are those in memory", "[examples][topics][served]") {
  Rng random(9);
  test::Documents documents(200);
  for (auto& document : documents) {
    for (int i = 0; i < 9; ++i) {
      document.push_back(static_cast<std::uint32_t>(random.Below(1 + random.Below(60))));
    }
  }
  const TokenBlock block = test::BlockOf(documents);
  const Priors priors = test::PriorsOf(11, 0.1, 0.02, 60);
  std::vector<Key> keys;
  for (std::uint64_t word = 0; word < 60; ++word) keys.push_back(word * word);
  const auto cluster = test::Have(Cluster::Embedded({.lanes = 2, .partitions = 8}));
  const TopicTables tables = test::Have(TopicTables::Make(*cluster, 11));
  const auto served = test::Have(ServedWordTopics::Connect(*cluster, tables));
  LocalWordTopics local(11);
  struct Side {
    WordTopics* counts;
    std::vector<std::uint32_t> topics;
    CountRows rows{};
    std::vector<std::int64_t> sums = std::vector<std::int64_t>(11);
  };
  Side sides[] = {{served.get(), std::vector<std::uint32_t>(block.token_count(), kNoTopic)},
                  {&local, std::vector<std::uint32_t>(block.token_count(), kNoTopic)}};

  for (Side& side : sides) {
    DocumentTopics in_documents;
    in_documents.Count(block, side.topics);
    BlockSweep sweep({.slice_tokens = 200, .slice_words = 9, .sum_slices = 2}, keys, priors,
                     *side.counts);
    for (std::uint64_t seed = 1; seed <= 8; ++seed) {
      REQUIRE(sweep.Run(block, seed, side.topics, in_documents).ok());
    }
    REQUIRE(side.counts->Flush().ok());
    REQUIRE(side.counts->StartPull(keys, &side.rows).ok());
    REQUIRE(side.counts->FinishPull().ok());
    REQUIRE(side.counts->PullSums(side.sums).ok());
  }

  CHECK(sides[0].topics == sides[1].topics);
  CHECK(sides[0].rows == sides[1].rows);
  CHECK(sides[0].sums == sides[1].sums);
}

}  // namespace
}  // namespace longtail::examples
