// Topic models on count tables of an embedded cluster, beside plain collapsed Gibbs sampling.
//
//   topics_bench --vocabulary V --held_out DOCS CORPUS     at each of --topics
//   topics_bench --smoke                                   a made corpus, in a second
//
// Ours and the rival sweep in turn, over the same documents, so a machine that is busy slows both.
// Seconds are of the process's processor time, lanes' threads among it, and of the clock. After
// equally many sweeps both models foretell the same held-out documents.
#include <time.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/hash.h"
#include "base/random.h"
#include "examples/topics/block_sweep.h"
#include "examples/topics/document_reader.h"
#include "examples/topics/gibbs_sampler.h"
#include "examples/topics/perplexity.h"
#include "examples/topics/served_word_topics.h"
#include "longtail/cluster.h"

namespace longtail::examples {
namespace {

using Documents = std::vector<std::vector<std::uint32_t>>;

struct Options {
  CorpusSpec corpus;
  std::vector<std::string> held_out;
  std::vector<std::uint32_t> topics = {1000};
  std::uint32_t sweeps = 20;
  std::uint32_t rival_topics_max = 2000;
  double alpha = 0.05;
  double beta = 0.01;
  double times_min = 0;
  double worse_max = 0.1;
  bool is_smoke = false;
};

struct Data {
  Documents train;
  Documents held_out;
  std::uint32_t words = 0;
  double tokens = 0;
};

template <typename Value>
Value Must(absl::StatusOr<Value> value) {
  if (value.ok()) return *std::move(value);
  std::fprintf(stderr, "topics_bench: %s\n", std::string(value.status().message()).c_str());
  std::exit(1);
}

void Must(const absl::Status& status) {
  Must(status.ok() ? absl::StatusOr<int>(0) : status);
}

// Time that one of the two took.
class Stopwatch {
 public:
  void Start() {
    processor_began_ = Processor();
    clock_began_ = Clock::now();
  }
  void Stop() {
    processor += Processor() - processor_began_;
    wall += std::chrono::duration<double>(Clock::now() - clock_began_).count();
  }
  double processor = 0;
  double wall = 0;

 private:
  using Clock = std::chrono::steady_clock;
  static double Processor() {
    timespec now{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
  }
  double processor_began_ = 0;
  Clock::time_point clock_began_;
};

Documents MadeDocuments(std::uint64_t seed, std::size_t count, std::uint32_t words) {
  Rng random(seed);
  Documents documents(count);
  for (auto& document : documents) {
    const std::uint64_t first = random.Below(words);
    const std::uint64_t size = 4 + random.Below(8);
    for (std::uint64_t i = 0; i < size; ++i) {
      document.push_back(
          static_cast<std::uint32_t>((first + random.Below(1 + random.Below(50))) % words));
    }
  }
  return documents;
}

Data Read(const Options& options) {
  Data data;
  if (options.is_smoke) {
    data = {.train = MadeDocuments(1, 5000, 2000),
            .held_out = MadeDocuments(2, 300, 2000),
            .words = 2000};
  } else {
    const Vocabulary vocabulary = Must(Vocabulary::Load(options.corpus.vocabulary));
    CorpusCounts counts;
    CorpusSpec held_out = options.corpus;
    held_out.files = options.held_out;
    if (!held_out.files.empty()) data.held_out = Must(ReadNumbered(held_out, vocabulary, counts));
    data.train = Must(ReadNumbered(options.corpus, vocabulary, counts));
    data.words = vocabulary.size();
  }
  for (const auto& document : data.train) data.tokens += static_cast<double>(document.size());
  return data;
}

// Ours: the corpus as one block, its counts on an embedded cluster of one lane.
class Ours {
 public:
  Ours(const Data& data, const Priors& priors) : priors_(priors) {
    std::vector<std::pair<std::uint32_t, std::uint32_t>> tokens;  // Word, document.
    for (std::size_t d = 0; d < data.train.size(); ++d) {
      for (const auto word : data.train[d]) tokens.emplace_back(word, static_cast<unsigned>(d));
    }
    std::sort(tokens.begin(), tokens.end());
    block_.document_count = static_cast<std::uint32_t>(data.train.size());
    for (const auto& [word, document] : tokens) {
      if (block_.words.empty() || block_.words.back() != word) {
        block_.words.push_back(word);
        block_.ends.push_back(0);
      }
      block_.documents.push_back(document);
      block_.ends.back() = static_cast<std::uint32_t>(block_.documents.size());
    }
    topics_.assign(tokens.size(), kNoTopic);
    documents_.Count(block_, topics_);
    for (std::uint32_t word = 0; word < data.words; ++word) keys_.push_back(Mix64(word + 1));
    cluster_ = Must(Cluster::Embedded({}));
    const TopicTables tables = Must(TopicTables::Make(*cluster_, priors.topic_count()));
    counts_ = Must(ServedWordTopics::Connect(*cluster_, tables));
    sweep_.emplace(SweepOptions{}, keys_, priors_, *counts_);
    Sweep(0);  // Topics to begin with, as the rival's constructor draws them.
  }

  void Sweep(std::uint64_t seed) {
    Must(sweep_->Run(block_, seed, topics_, documents_));
    Must(counts_->Flush());
  }

  ModelCounts Counts() {
    ModelCounts model;
    model.sums.resize(priors_.topic_count());
    Must(counts_->PullSums(model.sums));
    Must(counts_->StartPull(keys_, &model.rows));
    Must(counts_->FinishPull());
    return model;
  }

  std::uint64_t table_bytes() {
    std::uint64_t bytes = 0;
    for (const TableReport& table : Must(cluster_->AllStatistics())) {
      bytes += table.statistics.bytes();
    }
    return bytes;
  }

 private:
  const Priors& priors_;
  TokenBlock block_;
  std::vector<std::uint32_t> topics_;
  DocumentTopics documents_;
  std::vector<Key> keys_;
  std::unique_ptr<Cluster> cluster_;
  std::unique_ptr<ServedWordTopics> counts_;
  std::optional<BlockSweep> sweep_;
};

ModelCounts CountsOf(const GibbsSampler& rival, std::uint32_t words, std::uint32_t topics) {
  ModelCounts model;
  model.sums.assign(rival.sums().begin(), rival.sums().end());
  for (std::size_t word = 0; word < words; ++word) {
    for (std::uint32_t k = 0; k < topics; ++k) {
      const std::int32_t count = rival.word_topics()[word * topics + k];
      if (count == 0) continue;
      model.rows.columns.push_back(k);
      model.rows.counts.push_back(count);
    }
    model.rows.ends.push_back(model.rows.columns.size());
  }
  return model;
}

void Print(const char* name, std::uint32_t topics, const Stopwatch& watch, double tokens,
           double perplexity) {
  std::printf("%-6s K %6u  processor %8.2f s  %10.0f tokens/s   clock %8.2f s   perplexity %.1f\n",
              name, topics, watch.processor, tokens / watch.processor, watch.wall, perplexity);
  std::fflush(stdout);
}

int Run(const Options& options) {
  const Data data = Read(options);
  std::printf("%zu documents, %.0f tokens, %u words; %u sweeps\n", data.train.size(), data.tokens,
              data.words, options.sweeps);
  bool is_fine = true;
  double first_rate = 0;
  for (const std::uint32_t topics : options.topics) {
    const Priors priors = {.alpha = std::vector<double>(topics, options.alpha),
                           .beta = options.beta,
                           .vocabulary_size = data.words};
    Ours ours(data, priors);
    std::optional<GibbsSampler> rival;
    if (topics <= options.rival_topics_max) rival.emplace(data.train, priors, 1);
    Stopwatch our_time;
    Stopwatch rival_time;
    for (std::uint32_t sweep = 1; sweep <= options.sweeps; ++sweep) {
      our_time.Start();
      ours.Sweep(sweep);
      our_time.Stop();
      if (!rival) continue;
      rival_time.Start();
      rival->Sweep();
      rival_time.Stop();
    }
    const double tokens = data.tokens * options.sweeps;
    const double our_perplexity =
        MeasureHeldOut(ours.Counts(), priors, data.held_out, 4).all.perplexity();
    Print("ours", topics, our_time, tokens, our_perplexity);
    const double rate = tokens / our_time.processor;
    if (first_rate == 0) first_rate = rate;
    std::printf("       tables of %.1f MiB; %.2f of the tokens/s at K %u\n",
                static_cast<double>(ours.table_bytes()) / (1 << 20), rate / first_rate,
                options.topics[0]);
    if (!rival) continue;
    const double rival_perplexity =
        MeasureHeldOut(CountsOf(*rival, data.words, topics), priors, data.held_out, 4)
            .all.perplexity();
    Print("Gibbs", topics, rival_time, tokens, rival_perplexity);
    const double times = rival_time.processor / our_time.processor;
    std::printf("       %.1f times its tokens/s; perplexity %+.2f %%\n", times,
                (our_perplexity / rival_perplexity - 1) * 100);
    is_fine = is_fine && times >= options.times_min &&
              !(our_perplexity > (1 + options.worse_max) * rival_perplexity);
  }
  return is_fine ? 0 : 1;
}

}  // namespace
}  // namespace longtail::examples

int main(int argc, char** argv) {
  longtail::examples::Options options;
  CLI::App app("Topic models on count tables beside plain collapsed Gibbs sampling");
  app.add_option("corpus", options.corpus.files, "Lines of NUMBER:COUNT");
  app.add_option("--vocabulary", options.corpus.vocabulary, "Their words");
  app.add_option("--held_out", options.held_out, "Documents to foretell");
  app.add_option("--topics", options.topics, "One run each; of the first the ratios are made");
  app.add_option("--sweeps", options.sweeps);
  app.add_option("--rival_topics_max", options.rival_topics_max, "The rival's memory is dense");
  app.add_option("--alpha", options.alpha);
  app.add_option("--beta", options.beta);
  app.add_option("--times_min", options.times_min,
                 "Exit status 1 if ours is not so many times as fast");
  app.add_option("--worse_max", options.worse_max,
                 "Exit status 1 if its perplexity is higher by more than this share");
  app.add_flag("--smoke", options.is_smoke, "A made corpus");
  CLI11_PARSE(app, argc, argv);
  if (options.is_smoke) {
    options.topics = {50, 200};
    options.sweeps = 20;
    options.alpha = 0.1;
  }
  return longtail::examples::Run(options);
}
