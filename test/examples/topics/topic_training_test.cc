#include "examples/topics/topic_training.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <sstream>

#include "base/random.h"
#include "examples/topics/text_files.h"
#include "examples/topics/topic_model.h"
#include "longtail/checkpoint.h"

namespace longtail::examples {
namespace {

using longtail::test::ScratchDirectory;

// Documents of one of four topics of ten words each, and a line in bad encoding.
std::string Corpus(std::uint64_t seed, int documents) {
  Rng random(seed);
  std::string text;
  for (int d = 0; d < documents; ++d) {
    const std::uint64_t topic = random.Below(4);
    for (int i = 0; i < 8; ++i) {
      text += "t" + std::to_string(topic) + "w" + std::to_string(random.Below(10)) + " ";
    }
    text += "\n";
  }
  return text + "\xff\n";
}

struct Job {
  Job() {
    options.corpus.files = {test::WriteText(directory.path(), "train", Corpus(1, 600))};
    options.held_out.files = {test::WriteText(directory.path(), "test", Corpus(2, 60))};
    options.out = directory.path() + "/run";
    options.topics = 8;  // More than there are, or two might share one of them for ever.
    options.alpha = 0.1;
    options.sweeps = 30;
    options.block_tokens = 500;
    options.sweep = {.slice_tokens = 100, .slice_words = 8, .sum_slices = 2};
  }
  absl::StatusOr<TrainingReport> Train() {
    said.str("");
    return TrainTopics(options, said);
  }

  ScratchDirectory directory;
  TrainingOptions options;
  std::ostringstream said;
};

TEST_CASE("a training finds the topics that there are, with one worker or three",
          "[examples][topics][training]") {
  Job job;
  job.options.workers = GENERATE(1U, 3U);
  job.options.lanes = job.options.workers == 1 ? 1 : 2;

  const TrainingReport report = test::Have(job.Train());

  REQUIRE(report.held_out.size() == 1);
  CHECK(report.held_out[0].documents == 60);
  // Ten words as likely as one another: perplexity 10 if the topic is known; 40 words in all.
  CHECK(report.held_out[0].all.perplexity() < 18);
  CHECK(report.held_out[0].unigram.perplexity() > 36);
  CHECK(report.tokens == 4800);
  CHECK(job.said.str().find("1 lines are not UTF-8 and are left out, the first at " +
                            job.options.corpus.files[0] + ":601:1.") != std::string::npos);
  const TopicModel model = test::Have(TopicModel::Load(report.model));
  CHECK(model.vocabulary.size() == 40);
  CHECK(report.entries < 120);
}

TEST_CASE("a training that stops and goes on ends as one that ran through",
          "[examples][topics][training]") {
  Job whole;
  whole.options.sweeps = 6;
  const TrainingReport want = test::Have(whole.Train());

  Job parts;
  parts.options.sweeps = 6;
  parts.options.stop_after = 2;
  REQUIRE(parts.Train().ok());
  CHECK(parts.Train().status().code() == absl::StatusCode::kAlreadyExists);
  parts.options.resume = true;
  parts.options.stop_after = 0;
  parts.options.lanes = 2;
  const TrainingReport got = test::Have(parts.Train());

  CHECK(parts.said.str().find("at sweep 2") != std::string::npos);
  CHECK(got.sweeps == 6);
  CHECK(test::Have(TopicModel::Load(got.model)).counts.rows ==
        test::Have(TopicModel::Load(want.model)).counts.rows);
  CHECK(std::filesystem::exists(parts.options.out + "/checkpoints/sweep-000006/MANIFEST.json"));
  // Topics of tokens are kept of the newest checkpoint alone.
  CHECK(std::filesystem::exists(parts.options.out + "/topics/000006"));
  CHECK_FALSE(std::filesystem::exists(parts.options.out + "/topics/000002"));
  // Resumed at its end, it has nothing to do.
  CHECK(test::Have(parts.Train()).sweeps == 6);
}

TEST_CASE("other settings than the checkpoint's are refused by name",
          "[examples][topics][training]") {
  Job job;
  job.options.sweeps = 1;
  REQUIRE(job.Train().ok());
  job.options.resume = true;
  job.options.topics = 9;
  const auto other_topics = job.Train();
  CHECK(other_topics.status().code() == absl::StatusCode::kFailedPrecondition);
  CHECK(std::string(other_topics.status().message()).find("--topics 8") != std::string::npos);
  job.options.topics = 8;
  job.options.seed = 9;
  CHECK(std::string(job.Train().status().message()).find("--seed 1") != std::string::npos);
  job.options.alpha = 0;
  CHECK(std::string(job.Train().status().message()).find("--alpha 0") != std::string::npos);
}

TEST_CASE("topics of tokens that are lost or damaged end a training that goes on",
          "[examples][topics][training]") {
  Job job;
  job.options.sweeps = 3;
  job.options.stop_after = 1;
  REQUIRE(job.Train().ok());
  job.options.resume = true;
  const std::string path = job.options.out + "/topics/000001/00000.topics";
  std::string bytes = test::ReadText(path);
  bytes[40] = static_cast<char>(bytes[40] ^ 1);
  test::WriteText(job.options.out, "topics/000001/00000.topics", bytes);
  CHECK(job.Train().status().code() == absl::StatusCode::kDataLoss);
  std::filesystem::remove(path);
  CHECK(job.Train().status().code() == absl::StatusCode::kNotFound);
}

TEST_CASE("priors that are fitted foretell better than bad ones", "[examples][topics][training]") {
  Job fixed;
  fixed.options.alpha = 5;
  fixed.options.beta = 2;
  fixed.options.sweeps = 60;
  Job fitted;
  fitted.options = fixed.options;
  fitted.options.out = fitted.directory.path() + "/run";
  fitted.options.fit_every = 5;

  const double without = test::Have(fixed.Train()).held_out.back().all.perplexity();
  const double with = test::Have(fitted.Train()).held_out.back().all.perplexity();

  CHECK(with < without);
  CHECK(fitted.said.str().find("alpha ") != std::string::npos);
}

}  // namespace
}  // namespace longtail::examples
