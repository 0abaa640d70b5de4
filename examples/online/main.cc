// longtail-online: from the logs of an app to a model that is served, without an end.
#include <csignal>

#include <CLI/CLI.hpp>
#include <atomic>
#include <iostream>
#include <limits>
#include <string>

#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "examples/online/event_replay.h"
#include "examples/online/join_run.h"
#include "examples/online/kafka_log.h"
#include "examples/online/online_run.h"
#include "examples/online/prediction_server.h"

namespace longtail::examples {
namespace {

std::atomic<bool> stop = false;

void AwaitEnd() {
  while (!stop) absl::SleepFor(absl::Milliseconds(50));
}

struct Arguments {
  std::string brokers;
  LogTopics topics{};
  OnlineRunOptions run{};
  JoinRunOptions join{};
  std::string examples_of_train;
  ReplayOptions replay{};
  double speed = 0;
  PredictionOptions predictions{};
  std::int32_t partitions = 2;
  double window_seconds = 600;
  double join_timeout_seconds = 60;
};

absl::Status Join(Arguments& a) {
  a.join.brokers = a.brokers;
  a.join.topics = a.topics;
  a.join.joiner = a.run.joiner;
  a.join.joiner.window_ms = static_cast<std::int64_t>(a.window_seconds * 1000);
  a.join.join_timeout = absl::Seconds(a.join_timeout_seconds);
  a.join.stop = &stop;
  absl::StatusOr<JoinRunReport> report = RunJoin(a.join, std::cout);
  if (!report.ok()) return report.status();
  std::cout << absl::StreamFormat("%d examples and ticks sent, digest %016x\n", report->sent.next,
                                  report->sent.digest)
            << JoinerText(report->joiner);
  return absl::OkStatus();
}

absl::Status Train(Arguments& a) {
  a.run.brokers = a.brokers;
  a.run.topics = a.topics;
  a.run.reads_examples = !a.examples_of_train.empty();
  if (a.run.reads_examples) a.run.topics.examples = a.examples_of_train;
  a.run.joiner.window_ms = static_cast<std::int64_t>(a.window_seconds * 1000);
  a.run.join_timeout = absl::Seconds(a.join_timeout_seconds);
  a.run.stop = &stop;
  absl::StatusOr<OnlineRunReport> report = RunOnline(a.run, std::cout);
  if (!report.ok()) return report.status();
  std::cout << absl::StreamFormat("%d examples, %d steps\n", report->examples, report->steps);
  if (report->joiner) std::cout << JoinerText(*report->joiner);
  std::cout << absl::StreamFormat("examples hash %016x\n", report->examples_hash);
  return absl::OkStatus();
}

absl::Status ReplayFile(Arguments& a) {
  const auto end_ms = static_cast<std::int64_t>(a.window_seconds * 1000) + 1000;
  absl::StatusOr<std::vector<Event>> events = MakeEvents(a.replay, end_ms);
  if (!events.ok()) return events.status();
  auto writer = KafkaWriter::Open(a.brokers, a.topics, absl::Seconds(a.join_timeout_seconds));
  if (!writer.ok()) return writer.status();
  std::cout << absl::StreamFormat("%d events, the last at %d\n", events->size(),
                                  events->back().at_ms)
            << std::flush;
  return Replay(*events, a.speed, **writer);
}

absl::Status Serve(Arguments& a) {
  a.predictions.join_timeout = absl::Seconds(a.join_timeout_seconds);
  auto server = PredictionServer::Start(a.predictions);
  if (!server.ok()) return server.status();
  std::cout << "Predictions: http://" << (*server)->address() << "/predict?f=FEATURE&f=FEATURE"
            << std::endl;
  AwaitEnd();
  return absl::OkStatus();
}

absl::Status Broker(Arguments& a) {
  auto broker = TrialBroker::Start(a.topics, a.partitions);
  if (!broker.ok()) return broker.status();
  std::cout << (*broker)->address() << std::endl;
  AwaitEnd();
  return absl::OkStatus();
}

int Main(int argc, char** argv) {
  Arguments a;
  CLI::App app{"From the logs of an app to a model that is served, without an end"};
  app.require_subcommand(1);
  const auto add_log = [&](CLI::App* command) {
    command->add_option("--brokers", a.brokers, "Kafka, HOST:PORT,HOST:PORT")->required();
    command->add_option("--impressions", a.topics.impressions, "The topic of impressions")
        ->capture_default_str();
    command->add_option("--clicks", a.topics.clicks, "The topic of clicks")->capture_default_str();
  };
  const auto add_window = [&](CLI::App* command) {
    command->add_option("--window", a.window_seconds, "Seconds that a click may be late")
        ->capture_default_str()
        ->check(CLI::Range(0.001, 1e7));
  };
  const auto add_join = [&](CLI::App* command) {
    command
        ->add_option("--join_timeout", a.join_timeout_seconds,
                     "Seconds to wait for brokers and cluster")
        ->capture_default_str()
        ->check(CLI::Range(0.1, 1e6));
  };

  const auto add_remembered = [&](CLI::App* command) {
    command
        ->add_option("--remembered", a.run.joiner.remembered_max,
                     "Impressions that wait at the most; clicks and past ids likewise")
        ->capture_default_str()
        ->check(CLI::Range(std::size_t{1}, std::size_t{1} << 30));
  };

  CLI::App* const train = app.add_subcommand(
      "train", "Join logs and train from them, or from the examples of a joiner");
  add_log(train);
  add_window(train);
  add_join(train);
  train->add_option("--store", a.run.store, "Where checkpoints go")->required();
  train->add_option("--cluster", a.run.cluster,
                    "tcp://HOST:PORT or the file with it; none: within this process");
  train->add_option("--examples", a.examples_of_train,
                    "The topic that a joiner of its own writes to; none: it joins by itself");
  add_remembered(train);
  train->add_option("--factors", a.run.trainer.model.factors, "Width of the factors")
      ->capture_default_str()
      ->check(CLI::Range(1, 1024));
  train->add_option("--learning_rate", a.run.trainer.model.learning_rate, "Of Adagrad")
      ->capture_default_str();
  train->add_option("--batch", a.run.trainer.batch_max, "Examples of a batch at the most")
      ->capture_default_str();
  train
      ->add_option("--batch_ms", a.run.trainer.batch_ms,
                   "A batch ends when the time of events passes a multiple of so many ms")
      ->capture_default_str();
  train->add_option("--checkpoint_every", a.run.checkpoint_every, "Batches between checkpoints")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  train->add_option("--until", a.run.until_ms,
                    "End once events are of this time, in ms since 1970; 0: never");
  train->add_option("--admin", a.run.admin, "HOST:PORT of pages: metrics and health");

  CLI::App* const join =
      app.add_subcommand("join", "Join logs, and write the examples to a topic for train");
  add_log(join);
  add_window(join);
  add_join(join);
  add_remembered(join);
  join->add_option("--examples", a.topics.examples, "The topic of examples")->capture_default_str();
  join->add_option("--store", a.join.store, "Where its state goes: a store of its own")->required();
  join->add_option("--state_every", a.join.state_every, "Events between states")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  join->add_option("--until", a.join.until_ms,
                   "End once events are of this time, in ms since 1970; 0: never");
  join->add_option("--admin", a.join.admin, "HOST:PORT of pages: metrics and health");

  CLI::App* const replay = app.add_subcommand("replay", "Write the events of a file to the logs");
  add_log(replay);
  add_window(replay);
  add_join(replay);
  replay->add_option("file", a.replay.file, "Impressions with a column click, tab-separated")
      ->required();
  replay->add_option("--time_column", a.replay.time_column, "A number that grows with time")
      ->capture_default_str();
  replay->add_option("--ms_per_unit", a.replay.ms_per_unit, "Milliseconds for one of it")
      ->capture_default_str();
  replay->add_option("--impressions_max", a.replay.impressions_max, "0: all")
      ->capture_default_str();
  replay->add_option("--click_delay_ms", a.replay.click_delay_ms, "Mean of the clicks' delay")
      ->capture_default_str();
  replay->add_option("--tick_ms", a.replay.tick_ms, "Of event time, between ticks")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  replay->add_option("--seed", a.replay.seed, "Of delays and repetitions")->capture_default_str();
  replay->add_option("--speed", a.speed, "Times as fast as it happened; 0: as fast as it can")
      ->capture_default_str();

  CLI::App* const serve = app.add_subcommand("serve", "Answer predictions over HTTP");
  add_join(serve);
  serve->add_option("--cluster", a.predictions.stable, "tcp://HOST:PORT or the file with it")
      ->required();
  serve->add_option("--candidate", a.predictions.candidate, "The cluster of another version");
  serve->add_option("--share_file", a.predictions.share_file,
                    "Has the percentage of requests that are the candidate's");
  serve->add_option("--listen", a.predictions.listen, "HOST:PORT")->capture_default_str();
  serve->add_option("--admin", a.predictions.admin, "HOST:PORT of pages");
  serve->add_option("--factors", a.predictions.factors, "Of the model")->capture_default_str();

  CLI::App* const broker = app.add_subcommand(
      "broker", "A broker in memory, for trying on one machine: librdkafka's mock, no Kafka");
  broker->add_option("--partitions", a.partitions, "Of each topic")
      ->capture_default_str()
      ->check(CLI::Range(1, 100));
  broker->add_option("--impressions", a.topics.impressions)->capture_default_str();
  broker->add_option("--clicks", a.topics.clicks)->capture_default_str();
  broker->add_option("--examples", a.topics.examples)->capture_default_str();

  CLI11_PARSE(app, argc, argv);
  std::signal(SIGTERM, [](int) { stop = true; });
  std::signal(SIGINT, [](int) { stop = true; });
  const absl::Status status = train->parsed()    ? Train(a)
                              : join->parsed()   ? Join(a)
                              : replay->parsed() ? ReplayFile(a)
                              : serve->parsed()  ? Serve(a)
                                                 : Broker(a);
  if (status.ok()) return 0;
  std::cerr << "longtail-online: " << status.ToString() << "\n";
  return 1;
}

}  // namespace
}  // namespace longtail::examples

int main(int argc, char** argv) {
  return longtail::examples::Main(argc, argv);
}
