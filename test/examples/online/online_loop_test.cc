// The whole loop as processes: a broker, a cluster of servers with logs, one that only reads, what
// joins and trains, what predicts. Each is killed with -9 while events come, and what was learned
// in the end is what is learned in peace: the same examples, the same rows to the bit.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <string>

#include "absl/strings/numbers.h"
#include "cluster/program_cluster.h"
#include "examples/online/event_replay.h"
#include "examples/online/fm_model.h"
#include "examples/online/kafka_log.h"
#include "examples/online/prediction_server.h"
#include "support/http_get.h"

namespace longtail::examples {
namespace {

using test::Must;
using test::Program;
using test::ProgramCluster;
using test::ScratchDirectory;

constexpr std::int64_t kWindowMs = 60'000;

// Two days of impressions, a few seconds apart, of features of which many are rare.
std::string ImpressionsFile(const ScratchDirectory& scratch, int count) {
  const std::string path = scratch.path() + "/impressions.tsv";
  std::ofstream file(path);
  file << "click\tad\tuser\trow\n";
  Rng rng(11);
  for (int i = 0; i < count; ++i) {
    const auto ad = static_cast<int>(std::pow(200.0, static_cast<double>(rng.Below(1000)) / 1000));
    const std::uint64_t user = rng.Below(3000);
    const bool is_click = rng.Below(12) < static_cast<std::uint64_t>(1 + ad % 7);
    file << (is_click ? 1 : 0) << "\t" << ad << "\t" << user << "\t" << i << "\n";
  }
  return path;
}

// Two days of real impressions, as they followed one another, where the data sets are: 1 % of those
// of 30 days, 16.5 million, whose number is their time. Else of made-up ones.
ReplayOptions TwoDays(const ScratchDirectory& scratch) {
  const char* const data = std::getenv("LONGTAIL_DATA");
  const std::string real =
      std::string(data == nullptr ? "none" : data) + "/criteo-attribution/train.tsv.gz";
  if (std::filesystem::exists(real)) {
    return {.file = real, .impressions_max = 11'000, .ms_per_unit = 157.1, .tick_ms = 60'000};
  }
  return {.file = ImpressionsFile(scratch, 4000), .ms_per_unit = 43'200, .tick_ms = 60'000};
}

// What a training's process said of its examples in the end.
std::string EndOf(const std::string& said) {
  const std::size_t at = said.rfind("\nall: ");
  return at == std::string::npos ? said : said.substr(at);
}

struct Loop {
  ScratchDirectory scratch;
  std::string store() const { return scratch.path() + "/store"; }
  ProgramCluster::Options Options() const {
    return {.servers = 2,
            .workers = 1,
            .step_mode = "synchronous",
            .lease_seconds = 5,
            .keeps_log = true,
            .store = store()};
  }
  std::unique_ptr<Program> Train(const ProgramCluster& cluster, const std::string& brokers,
                                 std::int64_t until_ms) const {
    return std::make_unique<Program>(std::vector<std::string>{
        LONGTAIL_ONLINE, "train", "--brokers", brokers, "--cluster", cluster.address, "--store",
        store(), "--window", "60", "--batch", "64", "--batch_ms", "600000", "--checkpoint_every",
        "10", "--until", std::to_string(until_ms)});
  }
};

std::vector<float> RowsOf(const ProgramCluster& processes, const std::vector<Event>& events) {
  std::set<Key> keys = {FeatureKeyOf("")};
  for (const Event& one : events) {
    for (const std::string& feature : one.features) keys.insert(FeatureKeyOf(feature));
  }
  const auto cluster = Must(Cluster::Remote(processes.remote()));
  const auto reader = Must(cluster->ConnectReader({}));
  return test::Rows(*reader, Must(cluster->FindTable(kFeatureTable)),
                    std::vector<Key>(keys.begin(), keys.end()), 9);
}

TEST_CASE("each process of the loop is killed, and what was learned is what is learned in peace",
          "[online][process]") {
  const LogTopics topics;
  const auto broker = Must(TrialBroker::Start(topics, 2));
  Loop killed;
  const std::vector<Event> events = Must(MakeEvents(TwoDays(killed.scratch), kWindowMs + 1000));
  REQUIRE(events.back().at_ms - events.front().at_ms > 47 * 3'600'000);  // Two days.
  const std::int64_t until_ms = events.back().at_ms;
  const auto writer = Must(KafkaWriter::Open(broker->address(), topics, absl::Seconds(20)));

  ProgramCluster cluster(killed.Options());
  auto training = killed.Train(cluster, broker->address(), until_ms);
  const auto start_reader = [&] {
    return std::make_unique<Program>(std::vector<std::string>{
        LONGTAIL_PROGRAM, "serve", "--reads", "--coordinator", cluster.address, "--name",
        "follower", "--listen", "tcp://127.0.0.1:0"});
  };
  auto follower = start_reader();
  const auto serve = [&] {
    return std::make_unique<Program>(std::vector<std::string>{
        LONGTAIL_ONLINE, "serve", "--cluster", cluster.address, "--listen", "127.0.0.1:0"});
  };
  auto predictions = serve();
  const auto trained = [&] {  // How far the training is, by its checkpoints.
    const auto saved = ListCheckpoints(killed.store());
    return saved.ok() && !saved->empty() ? saved->back().step : 0;
  };
  const auto await_steps = [&](std::uint64_t steps) {
    const bool has_come = Program::Await(absl::Seconds(60), [&] { return trained() >= steps; });
    INFO(training->said());
    REQUIRE(has_come);
  };
  // Events come in parts; between them somebody is killed.
  std::size_t written = 0;
  const auto write_part = [&](std::size_t end) {
    for (; written < std::min(end, events.size()); ++written) Must(writer->Write(events[written]));
    Must(writer->Flush(absl::Seconds(30)));
  };
  const std::size_t part = events.size() / 6;
  write_part(part);
  await_steps(10);
  training->Kill();
  training = killed.Train(cluster, broker->address(), until_ms);
  write_part(2 * part);
  await_steps(trained() + 20);
  cluster.servers[0]->Kill();
  write_part(3 * part);
  cluster.StartServer(0);
  await_steps(trained() + 20);
  follower->Kill();
  follower = start_reader();
  predictions->Kill();
  predictions = serve();
  REQUIRE(predictions->AwaitText("Predictions: http://", absl::Seconds(30)));
  const std::string port = cluster.address.substr(cluster.address.rfind(':'));
  cluster.coordinator->Kill();
  write_part(4 * part);
  cluster.StartCoordinator("tcp://127.0.0.1" + port);
  await_steps(trained() + 20);
  training->Kill();
  write_part(5 * part);
  training = killed.Train(cluster, broker->address(), until_ms);
  write_part(events.size());
  const bool has_ended = training->Wait(absl::Seconds(100)) == 0;
  INFO(training->said());
  REQUIRE(has_ended);
  CHECK(training->said().find("Resumed from") != std::string::npos);

  // Predictions are by what was learned, through whichever servers there are now.
  std::smatch found;
  const std::string said = predictions->said();
  REQUIRE(std::regex_search(said, found, std::regex("http://([0-9.:]+)/")));
  const auto shown = std::ranges::find(events, EventKind::kImpression, &Event::kind);
  const std::string feature = shown->features[0];
  const std::size_t equals = feature.find('=');
  const auto answer = nlohmann::json::parse(
      test::HttpGet(found[1].str(), "/predict?id=x&f=" + feature.substr(0, equals) + "%3D" +
                                        feature.substr(equals + 1) + "&f=never")
          .body);
  CHECK(answer.at("probability") > 0);
  CHECK(answer.at("features")[0].at("trained") > 0);
  CHECK(answer.at("features")[1].at("trained") == 0);

  Loop peace;
  ProgramCluster quiet(peace.Options());
  const auto whole = peace.Train(quiet, broker->address(), until_ms);
  REQUIRE(whole->Wait(absl::Seconds(100)) == 0);
  CHECK(EndOf(training->said()) == EndOf(whole->said()));
  // Some came twice, and each was learned once.
  std::set<std::string> ids;
  for (const Event& one : events) {
    if (one.kind == EventKind::kImpression) ids.insert(one.id);
  }
  CHECK(EndOf(whole->said()).find("\n" + std::to_string(ids.size()) + " examples of ") !=
        std::string::npos);
  CHECK(RowsOf(cluster, events) == RowsOf(quiet, events));
  WARN(EndOf(whole->said()));
}

TEST_CASE("what happens is served soon: from the log through joiner, training and follower",
          "[online][process]") {
  const char* const text = std::getenv("LONGTAIL_LAG_EVENTS");
  const int count = text == nullptr ? 20 : std::atoi(text);
  const LogTopics topics;
  const auto broker = Must(TrialBroker::Start(topics, 2));
  Loop loop;
  ProgramCluster cluster(loop.Options());
  const Program training({LONGTAIL_ONLINE, "train", "--brokers", broker->address(), "--cluster",
                          cluster.address, "--store", loop.store(), "--batch_ms", "200",
                          "--checkpoint_every", "1000"});
  const Program follower({LONGTAIL_PROGRAM, "serve", "--reads", "--coordinator", cluster.address,
                          "--name", "follower", "--listen", "tcp://127.0.0.1:0"});
  REQUIRE(follower.AwaitText("server_serves", absl::Seconds(30)));
  const auto server = Must(
      PredictionServer::Start({.stable = cluster.remote().coordinator, .listen = "127.0.0.1:0"}));
  const auto writer = Must(KafkaWriter::Open(broker->address(), topics, absl::Seconds(20)));

  std::vector<double> lags;
  for (int i = 0; i < count; ++i) {
    const std::string id = "live" + std::to_string(i);
    const auto now = [] { return absl::ToUnixMillis(absl::Now()); };
    Must(writer->Write(
        {.kind = EventKind::kImpression, .id = id, .at_ms = now(), .features = {"user=" + id}}));
    Must(writer->Write({.kind = EventKind::kClick, .id = id, .at_ms = now()}));
    Must(writer->Flush(absl::Seconds(5)));
    const absl::Time clicked = absl::Now();
    const bool is_seen = Program::Await(absl::Seconds(20), [&] {
      Must(writer->Write({.at_ms = now()}));  // The app's clock goes on.
      Must(writer->Flush(absl::Seconds(5)));
      const auto answer =
          nlohmann::json::parse(test::HttpGet(server->address(), "/predict?f=user%3D" + id).body);
      return answer.contains("features") && answer["features"][0]["trained"] == 1;
    });
    INFO(training.said());
    REQUIRE(is_seen);
    lags.push_back(absl::ToDoubleSeconds(absl::Now() - clicked));
  }
  std::ranges::sort(lags);
  const double p99 = lags[(lags.size() * 99 + 99) / 100 - 1];
  WARN("from a click in the log to a prediction by it: median "
       << lags[lags.size() / 2] << " s, 99 % within " << p99 << " s, of " << count);
  CHECK(p99 < (text == nullptr ? 10 : 2));
}

TEST_CASE("two versions are served side by side by a share that changes, and one is taken back",
          "[online][process]") {
  Loop loop;
  const ProgramCluster stable({.servers = 1});
  const ProgramCluster candidate({.servers = 1});
  const auto learn = [](const ProgramCluster& processes, float gradient) {
    const auto cluster = Must(Cluster::Remote(processes.remote()));
    const TableId table = Must(cluster->CreateTable(FmTable({})));
    const auto worker = Must(cluster->Connect({}));
    std::vector<float> gradients(9, 0);
    gradients[0] = gradient;
    Must(worker->Push(table, std::vector<Key>{FeatureKeyOf("x")}, gradients));
  };
  learn(stable, 1);
  learn(candidate, -1);
  const std::string share = loop.scratch.path() + "/share";
  const auto set_share = [&](const std::string& text) { std::ofstream(share) << text; };
  set_share("0\n");
  const auto server = Must(PredictionServer::Start({.stable = stable.address,
                                                    .candidate = candidate.address,
                                                    .share_file = share,
                                                    .listen = "127.0.0.1:0",
                                                    .admin = "127.0.0.1:0"}));
  const auto ask = [&](const std::string& query) {
    return test::HttpGet(server->address(), "/predict" + query);
  };
  const auto of_candidate = [&] {
    int count = 0;
    for (int i = 0; i < 200; ++i) {
      const auto answer = nlohmann::json::parse(ask("?f=x&id=r" + std::to_string(i)).body);
      const bool is_candidates = answer.at("version") == "candidate";
      // Each version answers by its own rows.
      CHECK((answer.at("probability") > 0.5) == is_candidates);
      count += is_candidates ? 1 : 0;
    }
    return count;
  };
  CHECK(of_candidate() == 0);
  set_share("30\n");
  absl::SleepFor(absl::Seconds(1));
  const int some = of_candidate();
  CHECK(some > 30);
  CHECK(some < 90);
  CHECK(of_candidate() == some);  // The same ids, the same version.
  set_share("not a number");      // Taken for none.
  absl::SleepFor(absl::Seconds(1));
  CHECK(of_candidate() == 0);

  for (const auto& [query, what] : std::vector<std::pair<std::string, std::string>>{
           {"", "0 features: want"},
           {"?id=1", "0 features: want"},
           {"?f=x&g=y", "want id=ID and f=FEATURE"},
           {"?f=" + std::string(13'000, 'x'), "13002 bytes"}}) {
    const auto answer = ask(query);
    CAPTURE(answer.body);
    CHECK(answer.code == 400);
    CHECK(answer.body.find(what) != std::string::npos);
  }
}

TEST_CASE("mistakes of the online loop are named", "[online][process]") {
  const ScratchDirectory scratch;
  const auto says = [&](std::vector<std::string> words, const std::string& what) {
    words.insert(words.begin(), LONGTAIL_ONLINE);
    const test::Outcome outcome = test::RunProgram(words);
    CAPTURE(outcome.said);
    CHECK(outcome.code != 0);
    CHECK(outcome.said.find(what) != std::string::npos);
  };
  says({"train", "--brokers", "127.0.0.1:1", "--store", scratch.path() + "/s", "--join_timeout",
        "1"},
       "kafka at '127.0.0.1:1': ");
  const auto broker = Must(TrialBroker::Start({}, 1));
  says({"train", "--brokers", broker->address(), "--store", scratch.path() + "/s", "--cluster",
        "tcp://127.0.0.1:1", "--join_timeout", "1"},
       "connection refused");
  says({"replay", "--brokers", broker->address(), scratch.path() + "/none"},
       "none: cannot be opened");
  says({"serve", "--cluster", "tcp://127.0.0.1:1", "--join_timeout", "1"}, "connection refused");

  // A table that somebody else trained, or whose checkpoints are elsewhere.
  const ProgramCluster cluster({.servers = 1, .workers = 1, .store = scratch.path() + "/s"});
  {
    const auto other = Must(Cluster::Remote(cluster.remote()));
    const TableId table = Must(other->CreateTable(FmTable({})));
    const auto worker = Must(other->Connect({}));
    Must(worker->Push(table, std::vector<Key>{1}, std::vector<float>(9, 1)));
  }
  says({"train", "--brokers", broker->address(), "--store", scratch.path() + "/s", "--cluster",
        cluster.address, "--until", "1"},
       "table 'features' has 1 rows and store");
}

}  // namespace
}  // namespace longtail::examples
