// longtail-topics: trains topic models, measures them, and answers texts with their topics.
#include <signal.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cmath>
#include <cstdlib>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "examples/common/report/number_text.h"
#include "examples/topics/coherence.h"
#include "examples/topics/topic_query.h"
#include "examples/topics/topic_site.h"
#include "examples/topics/topic_training.h"
#include "nlohmann/json.hpp"

namespace longtail::examples {
namespace {

struct Arguments {
  TrainingOptions training;
  std::string text = "words";
  std::string part = "all";
  std::string model;
  std::string segmenter;
  std::string query;
  std::string listen = "127.0.0.1:8080";
  QueryOptions answer;
  std::size_t coherence_words = 10;
};

TerminalStyle StyleOfTerminal() {
  const bool is_terminal = isatty(STDOUT_FILENO) != 0;
  return {.color = is_terminal && std::getenv("NO_COLOR") == nullptr, .unicode = is_terminal};
}

// What --text and --part say, which are words on the command line.
CorpusSpec CorpusOf(const Arguments& arguments) {
  CorpusSpec corpus = arguments.training.corpus;
  corpus.text.kind = arguments.text == "chinese" ? TextKind::kChinese : TextKind::kWords;
  corpus.part = arguments.part == "train"      ? CorpusPart::kTrain
                : arguments.part == "held_out" ? CorpusPart::kHeldOut
                                               : CorpusPart::kAll;
  return corpus;
}

absl::Status Train(const Arguments& arguments) {
  TrainingOptions options = arguments.training;
  options.corpus = CorpusOf(arguments);
  std::vector<std::string> held_out = std::move(options.held_out.files);
  options.held_out = options.corpus;
  if (options.corpus.part != CorpusPart::kTrain) {
    options.held_out.files = std::move(held_out);
  } else if (held_out.empty()) {
    options.held_out.part = CorpusPart::kHeldOut;
  } else {
    return absl::InvalidArgumentError(
        "--held_out: with --part train what is held out is the rest of the corpus; wanted one of "
        "the two");
  }
  return TrainTopics(options, std::cout).status();
}

absl::StatusOr<TopicQuery> OpenQuery(const Arguments& arguments) {
  LONGTAIL_ASSIGN_OR_RETURN(TopicModel model, TopicModel::Load(arguments.model));
  return TopicQuery::Make(std::move(model), arguments.segmenter, arguments.answer);
}

absl::Status Query(const Arguments& arguments) {
  LONGTAIL_ASSIGN_OR_RETURN(const TopicQuery query, OpenQuery(arguments));
  LONGTAIL_ASSIGN_OR_RETURN(const QueryAnswer answer, query.Answer(arguments.query));
  std::cout << (arguments.training.json ? ToJson(answer) : ToText(answer, StyleOfTerminal()));
  return absl::OkStatus();
}

absl::Status Eval(const Arguments& arguments) {
  LONGTAIL_ASSIGN_OR_RETURN(const TopicModel model, TopicModel::Load(arguments.model));
  CorpusCounts counts;
  LONGTAIL_ASSIGN_OR_RETURN(const auto documents,
                            ReadNumbered(CorpusOf(arguments), model.vocabulary, counts));
  const HeldOutResult held_out =
      MeasureHeldOut(model.counts, model.priors, documents, arguments.training.held_out_tokens_min);
  const Coherence coherence = MeasureCoherence(model, documents, arguments.coherence_words);
  if (arguments.training.json) {
    nlohmann::json buckets = nlohmann::json::object();
    for (std::size_t i = 0; i < kCountBucketCount; ++i) {
      buckets[std::string(kCountBuckets[i].name)] = {
          {"tokens", held_out.by_count[i].tokens},
          {"perplexity", held_out.by_count[i].perplexity()}};
    }
    std::cout << nlohmann::json{{"documents", held_out.documents},
                                {"tokens", held_out.all.tokens},
                                {"perplexity", held_out.all.perplexity()},
                                {"unigram", held_out.unigram.perplexity()},
                                {"by_count", std::move(buckets)},
                                {"undecodable", counts.undecodable},
                                {"coherence", coherence.mean},
                                {"coherence_by_topic", coherence.by_topic}}
                     .dump(2)
              << "\n";
    return absl::OkStatus();
  }
  TextTable table = {.title = "Held-out perplexity by how often the word was trained on",
                     .header = {"trained", "tokens", "perplexity"}};
  const auto add = [&](std::string name, const BucketPerplexity& bucket) {
    table.rows.push_back(
        {std::move(name), GroupedText(bucket.tokens), FixedText(bucket.perplexity(), 1)});
  };
  for (std::size_t i = 0; i < kCountBucketCount; ++i) {
    add(std::string(kCountBuckets[i].name), held_out.by_count[i]);
  }
  add("all", held_out.all);
  add("all, by word frequency alone", held_out.unigram);
  std::cout << TextOf(table, StyleOfTerminal()) << "\nCoherence (NPMI of "
            << arguments.coherence_words << " words, mean of topics, in "
            << GroupedText(documents.size()) << " documents): " << FixedText(coherence.mean, 4)
            << "\n";
  if (counts.undecodable != 0) {
    std::cout << GroupedText(counts.undecodable) << " lines are not UTF-8 and are left out, the "
              << "first at " << counts.first_undecodable << ".\n";
  }
  return absl::OkStatus();
}

absl::Status Serve(const Arguments& arguments) {
  // Before any thread starts, so that all of them leave these signals to sigwait.
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGTERM);
  sigaddset(&ends, SIGINT);
  pthread_sigmask(SIG_BLOCK, &ends, nullptr);
  LONGTAIL_ASSIGN_OR_RETURN(const TopicQuery query, OpenQuery(arguments));
  LONGTAIL_ASSIGN_OR_RETURN(const auto site, TopicSite::Show(arguments.listen, query));
  std::cout << "Answers at http://" << site->address() << "/ until it is told to end." << std::endl;
  int signal = 0;
  sigwait(&ends, &signal);
  return absl::OkStatus();
}

void AddCorpusOptions(CLI::App& command, Arguments& arguments) {
  CorpusSpec& corpus = arguments.training.corpus;
  command.add_option("corpus", corpus.files, "Files, a document a line; plain, gzip or zstd")
      ->required();
  command.add_option("--text", arguments.text, "How lines are cut: at blanks, or as Chinese")
      ->check(CLI::IsMember({"words", "chinese"}))
      ->capture_default_str();
  command.add_option("--vocabulary", corpus.vocabulary,
                     "Lines are NUMBER:COUNT of the words of this file, a word a line");
  command.add_option("--column", corpus.column, "The text is this column, from 1, between tabs");
  command.add_option("--segmenter", corpus.text.segmenter,
                     "Chinese: directory with jieba.dict.utf8 and hmm_model.utf8, or .gz");
  command.add_option("--stop_words", corpus.text.stop_words, "Words to leave out, one a line");
  command.add_option("--characters_min", corpus.text.characters_min, "Leave shorter words out")
      ->capture_default_str();
  command.add_option("--part", arguments.part, "Of the documents: all, or by --test_every")
      ->check(CLI::IsMember({"all", "train", "held_out"}))
      ->capture_default_str();
  command.add_option("--test_every", corpus.test_every, "Every so many documents one is held out")
      ->capture_default_str();
  command
      .add_option("--held_out_tokens_min", arguments.training.held_out_tokens_min,
                  "Do not measure documents with fewer")
      ->capture_default_str();
}

void AddTrainingOptions(CLI::App& command, TrainingOptions& options) {
  command.add_option("--out", options.out, "Directory of the run")->capture_default_str();
  command.add_option("--topics", options.topics, "How many")->capture_default_str();
  command.add_option("--alpha", options.alpha, "Prior of a document's topics")
      ->capture_default_str();
  command.add_option("--beta", options.beta, "Prior of a topic's words")->capture_default_str();
  command.add_option("--sweeps", options.sweeps, "Passes over the corpus, in all")
      ->capture_default_str();
  command.add_option("--fit_every", options.fit_every,
                     "Fit alpha and beta after every so many sweeps; 0: never");
  command.add_option("--workers", options.workers, "Threads, each a worker of the cluster")
      ->capture_default_str();
  command.add_option("--lanes", options.lanes, "Of an embedded cluster")->capture_default_str();
  command.add_option("--partitions", options.partitions, "Of an embedded cluster")
      ->capture_default_str();
  command.add_option("--cluster", options.cluster,
                     "Servers to train on: tcp://HOST:PORT of their coordinator, or a file with "
                     "it; embedded if not given");
  command.add_option("--store", options.store,
                     "Where checkpoints are; the servers must name the same; OUT/checkpoints if "
                     "not given");
  command.add_option("--block_tokens", options.block_tokens, "Tokens that a worker has in memory")
      ->capture_default_str();
  command
      .add_option("--sum_slices", options.sweep.sum_slices,
                  "The topics' sums are pulled anew after so many slices of a block")
      ->capture_default_str();
  command.add_option("--seed", options.seed, "Of the draws")->capture_default_str();
  command.add_option("--checkpoint_every", options.checkpoint_every, "Sweeps; 0: at the end");
  command.add_option("--stop_after", options.stop_after, "Save and stop after so many sweeps");
  command.add_flag("--resume", options.resume, "Go on from the newest checkpoint");
  command.add_option("--held_out", options.held_out.files,
                     "Files to measure perplexity on, as those of the corpus");
  command.add_option("--measure_every", options.measure_every, "Sweeps; 0: at the end");
  command.add_flag("--json", options.json, "Progress as JSON lines");
}

void AddQueryOptions(CLI::App& command, Arguments& arguments) {
  command.add_option("--model", arguments.model, "File that train wrote")->required();
  command.add_option("--segmenter", arguments.segmenter,
                     "Chinese: as for train; without it texts are cut along the model's words");
  command.add_option("--topics", arguments.answer.topics_max, "Topics to show")
      ->capture_default_str();
  command.add_option("--words", arguments.answer.words_max, "Words of each to show")
      ->capture_default_str();
}

int Main(int argc, char** argv) {
  Arguments arguments;
  CLI::App app("Trains topic models on a Longtail cluster, and answers texts with their topics.");
  app.require_subcommand(1);
  CLI::App* const train = app.add_subcommand("train", "Train, save, and measure");
  AddCorpusOptions(*train, arguments);
  AddTrainingOptions(*train, arguments.training);
  CLI::App* const query = app.add_subcommand("query", "Print a text's words and topics");
  AddQueryOptions(*query, arguments);
  query->add_option("text", arguments.query, "The text")->required();
  query->add_flag("--json", arguments.training.json, "As JSON");
  CLI::App* const eval = app.add_subcommand("eval", "Measure perplexity and coherence");
  AddCorpusOptions(*eval, arguments);
  eval->add_option("--model", arguments.model, "File that train wrote")->required();
  eval->add_option("--coherence_words", arguments.coherence_words, "Of each topic")
      ->capture_default_str();
  eval->add_flag("--json", arguments.training.json, "As JSON");
  CLI::App* const serve = app.add_subcommand("serve", "Answer over HTTP, on a page and as JSON");
  AddQueryOptions(*serve, arguments);
  serve->add_option("--listen", arguments.listen, "HOST:PORT; who reaches it may ask")
      ->capture_default_str();
  CLI11_PARSE(app, argc, argv);

  const absl::Status status = *train   ? Train(arguments)
                              : *query ? Query(arguments)
                              : *eval  ? Eval(arguments)
                                       : Serve(arguments);
  if (status.ok()) return 0;
  std::cerr << "longtail-topics: " << status.message() << "\n";
  return 1;
}

}  // namespace
}  // namespace longtail::examples

int main(int argc, char** argv) {
  return longtail::examples::Main(argc, argv);
}
