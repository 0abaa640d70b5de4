// The whole loop as processes: a broker, a cluster of servers with logs, one that only reads, what
// joins, what trains, what predicts. Each is killed with -9 while events come, and what was learned
// in the end is what is learned in peace: the same examples, the same rows to the bit.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <string>

#include "absl/strings/numbers.h"
#include "cluster/program_cluster.h"
#include "examples/online/event_replay.h"
#include "examples/online/fm_model.h"
#include "examples/online/kafka_log.h"
#include "examples/online/numbered_examples.h"
#include "examples/online/online_loop.h"
#include "examples/online/prediction_server.h"
#include "support/http_get.h"

namespace longtail::examples {
namespace {

using test::JoinerPlace;
using test::kLoopWindowMs;
using test::Loop;
using test::Must;
using test::Program;
using test::ProgramCluster;
using test::ScratchDirectory;
using test::TwoDays;

// What a training's process said of its examples in the end.
std::string EndOf(const std::string& said) {
  const std::size_t at = said.rfind("\nall: ");
  return at == std::string::npos ? said : said.substr(at);
}

// What a joiner's process said in the end of all that it joined.
std::string JoinedOf(const std::string& said) {
  const std::size_t at = said.find(" examples and ticks sent, ");
  REQUIRE(at != std::string::npos);
  return said.substr(said.rfind('\n', at) + 1);
}

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

// What lies in the topic of examples: by number, whatever was sent under it.
struct Sent {
  std::map<std::uint64_t, std::set<std::uint64_t>> digests{};
  std::size_t messages = 0;
};

Sent SentOf(const std::string& brokers) {
  const auto reader = Must(KafkaReader::OpenExamples(brokers, "examples", absl::Seconds(20)));
  Must(reader->Start(std::vector<std::int64_t>(reader->partitions().size(), 0)));
  Sent sent;
  const absl::Time deadline = absl::Now() + absl::Seconds(30);
  for (bool has_come = true; has_come && absl::Now() < deadline;) {
    has_come = false;
    for (std::size_t p = 0; p < reader->partitions().size(); ++p) {
      std::vector<LogEntry> entries;
      Must(reader->Read(p, absl::Seconds(1), entries));
      has_come |= !entries.empty();
      for (const LogEntry& entry : entries) {
        const NumberedExample one = Must(DecodeNumbered(entry.value));
        sent.digests[one.number].insert(one.digest);
      }
      sent.messages += entries.size();
    }
  }
  return sent;
}

// Writes events in parts, and between them kills whom it says.
class Writing {
 public:
  Writing(const std::string& brokers, const std::vector<Event>& events)
      : events_(events), writer_(Must(KafkaWriter::Open(brokers, {}, absl::Seconds(20)))) {}

  // Up to that part of them.
  void WriteTo(double part) {
    const auto end = static_cast<std::size_t>(part * static_cast<double>(events_.size()));
    for (; written_ < end; ++written_) Must(writer_->Write(events_[written_]));
    Must(writer_->Flush(absl::Seconds(30)));
  }

 private:
  const std::vector<Event>& events_;
  const std::unique_ptr<KafkaWriter> writer_;
  std::size_t written_ = 0;
};

// Predictions are by what was learned, through whichever servers there are now.
void CheckPredictions(const Program& predictions, const std::vector<Event>& events) {
  std::smatch found;
  const std::string said = predictions.said();
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
}

void KillEachProcess(JoinerPlace place) {
  const ScratchDirectory scratch;
  const std::vector<Event> events = Must(MakeEvents(TwoDays(scratch), kLoopWindowMs + 1000));
  REQUIRE(events.back().at_ms - events.front().at_ms > 47 * 3'600'000);  // Two days.
  const std::int64_t until_ms = events.back().at_ms;
  const auto broker = Must(TrialBroker::Start({}, 2));
  Writing writing(broker->address(), events);

  Loop killed(place, broker->address(), until_ms);
  ProgramCluster& cluster = killed.cluster;
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
    const auto saved = ListCheckpoints(killed.store);
    return saved.ok() && !saved->empty() ? saved->back().step : 0;
  };
  const auto await_steps = [&](std::uint64_t steps) {
    const bool has_come = Program::Await(absl::Seconds(60), [&] { return trained() >= steps; });
    INFO(killed.training->said());
    REQUIRE(has_come);
  };
  writing.WriteTo(1. / 6);
  await_steps(10);
  killed.training->Kill();
  killed.StartTraining();
  const std::uint64_t before = trained();
  writing.WriteTo(2. / 6);
  if (place == JoinerPlace::kApart) {  // Behind a state, with examples that it will send again.
    await_steps(before + 10);
    killed.joiner->Kill();
    killed.StartJoiner();
  }
  await_steps(before + 20);
  cluster.servers[0]->Kill();
  writing.WriteTo(3. / 6);
  cluster.StartServer(0);
  await_steps(trained() + 20);
  follower->Kill();
  follower = start_reader();
  predictions->Kill();
  predictions = serve();
  REQUIRE(predictions->AwaitText("Predictions: http://", absl::Seconds(30)));
  const std::string port = cluster.address.substr(cluster.address.rfind(':'));
  cluster.coordinator->Kill();
  writing.WriteTo(4. / 6);
  cluster.StartCoordinator("tcp://127.0.0.1" + port);
  await_steps(trained() + 20);
  killed.training->Kill();  // Both at once; events come meanwhile.
  if (place == JoinerPlace::kApart) killed.joiner->Kill();
  writing.WriteTo(5. / 6);
  killed.StartTraining();
  if (place == JoinerPlace::kApart) killed.StartJoiner();
  writing.WriteTo(1);
  const bool has_ended = killed.training->Wait(absl::Seconds(100)) == 0;
  INFO(killed.training->said());
  REQUIRE(has_ended);
  CHECK(killed.training->said().find("Resumed from") != std::string::npos);
  CheckPredictions(*predictions, events);

  // The same in peace, with a broker and logs of its own.
  const auto quiet_broker = Must(TrialBroker::Start({}, 2));
  Writing(quiet_broker->address(), events).WriteTo(1);
  Loop peace(place, quiet_broker->address(), until_ms);
  REQUIRE(peace.training->Wait(absl::Seconds(100)) == 0);
  CHECK(EndOf(killed.training->said()) == EndOf(peace.training->said()));
  // Some came twice, and each was learned once.
  std::set<std::string> ids;
  for (const Event& one : events) {
    if (one.kind == EventKind::kImpression) ids.insert(one.id);
  }
  CHECK(EndOf(peace.training->said()).find("\n" + std::to_string(ids.size()) + " examples, ") !=
        std::string::npos);
  CHECK(RowsOf(cluster, events) == RowsOf(peace.cluster, events));
  WARN(EndOf(peace.training->said()));

  if (place == JoinerPlace::kInTrainer) return;
  CHECK(killed.joiner->said().find("Resumed from") != std::string::npos);
  CHECK(killed.joiner->Wait(absl::Seconds(20)) == 0);
  CHECK(peace.joiner->Wait(absl::Seconds(20)) == 0);
  CHECK(JoinedOf(killed.joiner->said()) == JoinedOf(peace.joiner->said()));
  // It sent some again, and never another example under the same number.
  const Sent in_peace = SentOf(quiet_broker->address());
  const Sent again = SentOf(broker->address());
  CHECK(again.digests == in_peace.digests);
  CHECK(in_peace.messages == in_peace.digests.size());
  CHECK(again.messages > again.digests.size());
  WARN(again.digests.size() << " examples and ticks, " << again.messages << " messages");
}

TEST_CASE("each process of the loop is killed, and what was learned is what is learned in peace",
          "[online][process]") {
  KillEachProcess(JoinerPlace::kApart);
}

TEST_CASE(
    "with the joiner in the trainer's process each is killed, and learned is what is in peace",
    "[online][process]") {
  KillEachProcess(JoinerPlace::kInTrainer);
}

TEST_CASE("what happens is served soon: from the log through joiner, training and follower",
          "[online][process]") {
  const char* const text = std::getenv("LONGTAIL_LAG_EVENTS");
  const int count = text == nullptr ? 20 : std::atoi(text);
  const LogTopics topics;
  const auto broker = Must(TrialBroker::Start(topics, 2));
  const ScratchDirectory scratch;
  const std::string store = scratch.path() + "/store";
  ProgramCluster cluster(
      {.servers = 2, .workers = 1, .step_mode = "synchronous", .keeps_log = true, .store = store});
  const Program joiner({LONGTAIL_ONLINE, "join", "--brokers", broker->address(), "--store",
                        scratch.path() + "/joiner"});
  const Program training({LONGTAIL_ONLINE, "train", "--brokers", broker->address(), "--cluster",
                          cluster.address, "--store", store, "--batch_ms", "200",
                          "--checkpoint_every", "1000", "--examples", topics.examples});
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
  const ScratchDirectory scratch;
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
  const std::string share = scratch.path() + "/share";
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
  says(
      {"join", "--brokers", "127.0.0.1:1", "--store", scratch.path() + "/j", "--join_timeout", "1"},
      "kafka at '127.0.0.1:1': ");
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
