// Topic models on servers over real sockets, and a trainer that is killed.
#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <sstream>
#include <string>

#include "base/random.h"
#include "cluster/process_fixture.h"
#include "examples/topics/text_files.h"
#include "examples/topics/topic_model.h"
#include "examples/topics/topic_training.h"
#include "support/program.h"

namespace longtail::examples {
namespace {

using longtail::test::Program;
using longtail::test::ScratchDirectory;

std::string Corpus(int documents) {
  Rng random(5);
  std::string text;
  for (int d = 0; d < documents; ++d) {
    const std::uint64_t topic = random.Below(8);
    for (int i = 0; i < 10; ++i) text += std::to_string(topic * 30 + random.Below(50)) + " ";
    text += "\n";
  }
  return text;
}

TrainingOptions JobOf(const std::string& directory, int documents) {
  TrainingOptions options;
  options.corpus.files = {test::WriteText(directory, "corpus", Corpus(documents))};
  options.corpus.part = CorpusPart::kTrain;
  options.held_out = options.corpus;
  options.held_out.part = CorpusPart::kHeldOut;
  options.out = directory + "/run";
  options.topics = 8;
  options.sweeps = 12;
  options.block_tokens = 2000;
  return options;
}

TEST_CASE("servers count what an embedded cluster counts", "[examples][topics][cluster]") {
  const ScratchDirectory alone;
  std::ostringstream said;
  TrainingOptions options = JobOf(alone.path(), 1000);
  const TrainingReport want = test::Have(TrainTopics(options, said));

  const ScratchDirectory together;
  options = JobOf(together.path(), 1000);
  options.store = together.path() + "/store";
  auto processes = longtail::test::StartProcesses(
      {.cluster = {.servers = 2, .workers = 2, .step_mode = StepMode::kAsynchronous}}, 1,
      options.store);
  options.cluster = processes.coordinator->address();
  options.workers = GENERATE(1U, 2U);
  const TrainingReport got = test::Have(TrainTopics(options, said));

  if (options.workers == 1) {
    CHECK(test::Have(TopicModel::Load(got.model)).counts.rows ==
          test::Have(TopicModel::Load(want.model)).counts.rows);
  }
  // The counts were held against the tokens' topics. What order two workers draw in is chance.
  CHECK(got.held_out.back().all.perplexity() < got.held_out.back().unigram.perplexity());
}

// Some minutes: not among those that ctest runs. One training's perplexity differs from another's
// of the same kind by a third of a percent (its standard deviation), so means are compared.
TEST_CASE("two workers on two servers foretell as well as one with an embedded cluster",
          "[.][scale]") {
  const char* const data = std::getenv("LONGTAIL_DATA");
  if (data == nullptr) {
    std::cout << "[skip] LONGTAIL_DATA is not set\n";
    return;
  }
  constexpr int kSeeds = 6;
  const auto train = [&](const std::string& cluster, const std::string& store,
                         std::uint32_t workers, std::uint64_t seed) {
    const ScratchDirectory directory;
    TrainingOptions options;
    options.corpus.files = {std::string(data) + "/en-text/ap.docs.gz"};
    options.corpus.vocabulary = std::string(data) + "/en-text/ap.vocab.gz";
    options.corpus.part = CorpusPart::kTrain;
    options.held_out = options.corpus;
    options.held_out.part = CorpusPart::kHeldOut;
    options.held_out_tokens_min = 10;
    options.alpha = 0.1;
    options.topics = 50;
    options.sweeps = 400;
    options.seed = seed;
    options.block_tokens = 50'000;
    options.out = directory.path() + "/run";
    options.cluster = cluster;
    options.store = store;
    options.workers = workers;
    std::ostringstream said;
    const TrainingReport report = test::Have(TrainTopics(options, said));
    std::cout << workers << " workers: perplexity " << report.held_out.back().all.perplexity()
              << ", " << report.tokens_per_second << " tokens/s" << std::endl;
    return report.held_out.back().all.perplexity() / kSeeds;
  };
  double alone = 0;
  double together = 0;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    alone += train("", "", 1, seed);
    const ScratchDirectory store;
    auto processes = longtail::test::StartProcesses(
        {.cluster = {.servers = 2, .workers = 2, .step_mode = StepMode::kAsynchronous}}, 1,
        store.path());
    together += train(processes.coordinator->address(), store.path(), 2, seed);
  }
  std::cout << "means of " << kSeeds << ": alone " << alone << ", together " << together << ", "
            << 100 * (together / alone - 1) << " %\n";

  CHECK(together == Approx(alone).epsilon(0.005));
}

TEST_CASE("a cluster of another kind is refused", "[examples][topics][cluster]") {
  const ScratchDirectory directory;
  std::ostringstream said;
  TrainingOptions options = JobOf(directory.path(), 50);
  auto processes = longtail::test::StartProcesses(
      {.cluster = {.servers = 1, .workers = 1, .step_mode = StepMode::kSynchronous}}, 1);
  options.cluster = processes.coordinator->address();

  const auto refused = TrainTopics(options, said);

  CHECK(refused.status().code() == absl::StatusCode::kFailedPrecondition);
  CHECK(std::string(refused.status().message()).find("asynchronous") != std::string::npos);
}

TEST_CASE("a trainer that is killed goes on from its checkpoint, to the same counts",
          "[examples][topics][resume]") {
  const ScratchDirectory whole;
  const ScratchDirectory killed;
  const auto words = [](const ScratchDirectory& directory) {
    const std::string corpus = test::WriteText(directory.path(), "corpus", Corpus(20'000));
    return std::vector<std::string>{LONGTAIL_TOPICS,
                                    "train",
                                    corpus,
                                    "--out",
                                    directory.path() + "/run",
                                    "--topics",
                                    "20",
                                    "--sweeps",
                                    "12",
                                    "--checkpoint_every",
                                    "2",
                                    "--block_tokens",
                                    "50000"};
  };
  REQUIRE(longtail::test::RunProgram(words(whole), absl::Seconds(100)).code == 0);

  {
    Program trainer(words(killed));
    REQUIRE(trainer.AwaitText("Sweep 5 of 12", absl::Seconds(60)));
    trainer.Kill();
  }
  CHECK_FALSE(std::filesystem::exists(killed.path() + "/run/model.gz"));
  std::vector<std::string> again = words(killed);
  again.push_back("--resume");
  const auto resumed = longtail::test::RunProgram(again, absl::Seconds(100));

  INFO(resumed.said);
  REQUIRE(resumed.code == 0);
  CHECK(resumed.said.find("Resumed from") != std::string::npos);
  const TopicModel want = test::Have(TopicModel::Load(whole.path() + "/run/model.gz"));
  const TopicModel got = test::Have(TopicModel::Load(killed.path() + "/run/model.gz"));
  CHECK(got.counts.rows == want.counts.rows);
}

}  // namespace
}  // namespace longtail::examples
