// Servers that keep old logs are killed with -9, bases come and go, and what `longtail ckpt
// from-log` makes of the logs meanwhile is what the tables held, to the bit.
#include <catch2/catch.hpp>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "cluster/counted_pushes.h"
#include "cluster/program_cluster.h"

namespace longtail {
namespace {

using test::KeysBelow;
using test::Must;
using test::Outcome;
using test::ProgramCluster;
using test::RunProgram;

// A table as it was when no push was under way.
struct Moment {
  absl::Time at;
  std::uint64_t hash = 0;
};

std::string TextOf(absl::Time moment) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E6SZ", moment, absl::UTCTimeZone());
}

Moment Note(Cluster& cluster, TableId table) {
  const Moment noted{absl::Now(), Must(cluster.Statistics(table)).hash};
  absl::SleepFor(absl::Milliseconds(2));  // What comes next is later.
  return noted;
}

struct FromLog {
  explicit FromLog(const ProgramCluster& programs) : logs({programs.directory.path() + "/log"}) {}

  Outcome Run(std::vector<std::string> moment, const std::string& name) const {
    std::vector<std::string> words = {LONGTAIL_PROGRAM, "ckpt", "from-log"};
    words.insert(words.end(), logs.begin(), logs.end());
    words.insert(words.end(), moment.begin(), moment.end());
    words.insert(words.end(), {"--store", store.path(), "--as", name});
    return RunProgram(words, absl::Seconds(60));
  }

  // The hash of the table in what is made of that moment or step; 0 if nothing is.
  std::uint64_t HashOf(std::vector<std::string> moment, const std::string& name) const {
    const Outcome outcome = Run(std::move(moment), name);
    INFO(outcome.said);
    CHECK(outcome.code == 0);
    if (outcome.code != 0) return 0;
    CHECK(outcome.said.find("no trainer's state") != std::string::npos);
    const auto restored = Must(Cluster::Restore({}, {.store = store.path(), .name = name}));
    return Must(restored->Statistics(TableId{0})).hash;
  }
  std::uint64_t HashAt(const Moment& moment, const std::string& name) const {
    return HashOf({"--at", TextOf(moment.at)}, name);
  }

  std::vector<std::string> logs;
  const test::ScratchDirectory store;
};

// Pushes of whole numbers to some of 300 keys.
void PushSome(Worker& worker, TableId table, Rng& gen, int pushes) {
  for (int i = 0; i < pushes; ++i) {
    std::vector<Key> keys;
    std::vector<float> gradients;
    for (Key key = 0; key < 300; ++key) {
      if (gen.Below(3) == 0) continue;
      keys.push_back(key);
      gradients.push_back(static_cast<float>(gen.Below(9)) - 4);
    }
    Must(worker.Push(table, keys, gradients));
  }
}

TEST_CASE("each noted moment is made again of live servers' logs, though they are killed",
          "[cluster][process][log]") {
  ProgramCluster programs({.servers = 2,
                           .workers = 2,
                           .keeps_log = true,
                           .writes_bases = true,
                           .lanes = 2,
                           .keep_log = "1h"});
  const auto cluster = Must(Cluster::Remote(programs.remote()));
  const TableId table = Must(cluster->CreateTable(test::ExactSpec("t", 1)));
  const auto worker = Must(cluster->Connect({.retry_after = std::chrono::milliseconds(300)}));
  Rng gen(3);
  std::vector<Moment> moments;
  for (std::uint32_t round = 0; round < 6; ++round) {
    PushSome(*worker, table, gen, 5);
    moments.push_back(Note(*cluster, table));
    if (round % 2 == 1) {
      PushSome(*worker, table, gen, 1);
      programs.servers[round % 4 / 2]->Kill();
      programs.StartServer(round % 4 / 2);
    }
    absl::SleepFor(absl::Milliseconds(300));  // A base now and then.
  }
  const FromLog logs(programs);
  // While others push, and bases are written.
  std::atomic<bool> stop = false;
  absl::Status pushed;
  std::thread pushing([&] {
    const std::vector<Key> keys = KeysBelow(200);
    while (!stop && pushed.ok()) {
      pushed = worker->Push(table, keys, std::vector<float>(keys.size(), 1));
    }
  });
  std::vector<std::uint64_t> hashes;
  for (std::size_t i = 0; i < moments.size(); ++i) {
    hashes.push_back(logs.HashAt(moments[i], absl::StrCat("at-", i)));
  }
  stop = true;
  pushing.join();
  Must(pushed);
  for (std::size_t i = 0; i < moments.size(); ++i) {
    CAPTURE(i);
    CHECK(hashes[i] == moments[i].hash);
  }
  CHECK(std::filesystem::exists(programs.directory.path() + "/log/server-0/lane-1"));

  const Outcome again = logs.Run({"--at", TextOf(moments[0].at)}, "at-0");
  CHECK(again.code == 1);
  CHECK(again.said.find("is in file:") != std::string::npos);
  const Outcome early = logs.Run({"--at", "2001-02-03T04:05:06Z"}, "early");
  CHECK(early.code == 1);
  CHECK(early.said.find("is before what is kept: the logs have moments from ") !=
        std::string::npos);
  const Outcome step = logs.Run({"--step", "3"}, "step");
  CHECK(step.said.find("in asynchronous mode no step ends") != std::string::npos);
}

TEST_CASE("moments before and after fail-overs, images and a lost disk are made again",
          "[cluster][process][replica][log]") {
  ProgramCluster programs({.servers = 3,
                           .workers = 2,
                           .keeps_log = true,
                           .writes_bases = true,
                           .replicas = 2,
                           .keep_log = "1h"});
  const auto cluster = Must(Cluster::Remote(programs.remote()));
  const TableId table = Must(cluster->CreateTable(test::ExactSpec("t", 1)));
  const auto worker = Must(cluster->Connect({.retry_after = std::chrono::milliseconds(300)}));
  Rng gen(5);
  std::vector<Moment> moments;
  for (std::uint32_t round = 0; round < 4; ++round) {
    PushSome(*worker, table, gen, 5);
    moments.push_back(Note(*cluster, table));
    programs.servers[round % 3]->Kill();
    PushSome(*worker, table, gen, 3);  // Others lead.
    moments.push_back(Note(*cluster, table));
    programs.StartServer(round % 3);
    REQUIRE(programs.AwaitReplicas(absl::Seconds(60)));
  }
  PushSome(*worker, table, gen, 1);  // What there is is known up to the newest record.
  const FromLog logs(programs);
  for (std::size_t i = 0; i < moments.size(); ++i) {
    CAPTURE(i);
    CHECK(logs.HashAt(moments[i], absl::StrCat("at-", i)) == moments[i].hash);
  }
  // A disk is lost: what it alone had is missed, and nothing else is made of what is left.
  programs.servers[2]->Kill();
  std::filesystem::remove_all(programs.directory.path() + "/log/server-2");
  programs.StartServer(2);
  REQUIRE(programs.AwaitReplicas(absl::Seconds(60)));
  PushSome(*worker, table, gen, 3);
  moments.push_back(Note(*cluster, table));
  PushSome(*worker, table, gen, 1);
  int missed = 0;
  for (std::size_t i = 0; i < moments.size(); ++i) {
    CAPTURE(i);
    const std::string name = absl::StrCat("left-at-", i);
    const Outcome outcome = logs.Run({"--at", TextOf(moments[i].at)}, name);
    INFO(outcome.said);
    if (outcome.code != 0) {
      ++missed;
      const bool names_gap =
          outcome.said.find("no log has what follows: want the logs of its other replicas") !=
          std::string::npos;
      const bool is_before = outcome.said.find("is before what is kept") != std::string::npos;
      CHECK((names_gap || is_before));
      continue;
    }
    const auto restored = Must(Cluster::Restore({}, {.store = logs.store.path(), .name = name}));
    CHECK(Must(restored->Statistics(TableId{0})).hash == moments[i].hash);
    if (i + 1 == moments.size()) CHECK(missed < static_cast<int>(moments.size()) - 1);
  }
  // All that is said of it is a line of JSON, too.
  const Outcome range = RunProgram({LONGTAIL_PROGRAM, "ckpt", "log-range", logs.logs[0], "--json"});
  INFO(range.said);
  CHECK(range.code == 0);
  CHECK(range.said.starts_with("{\"eras\":[{\"from\":\""));
  CHECK(range.said.find("\"step_mode\":\"asynchronous\"") != std::string::npos);
}

TEST_CASE("synchronous steps are made again each to the bit of live servers' logs",
          "[cluster][process][step][log]") {
  ProgramCluster programs({.servers = 2,
                           .workers = 2,
                           .step_mode = "synchronous",
                           .keeps_log = true,
                           .writes_bases = true,
                           .keep_log = "1h"});
  const auto cluster = Must(Cluster::Remote(programs.remote()));
  const TableId table =
      Must(cluster->CreateTable(test::SpecOf("t", 1, AdagradSpec{.learning_rate = 0.3F})));
  std::vector<std::unique_ptr<Worker>> workers;
  for (std::uint32_t rank = 0; rank < 2; ++rank) {
    workers.push_back(
        Must(cluster->Connect({.retry_after = std::chrono::milliseconds(300), .rank = rank})));
  }
  Rng gen(6);
  std::vector<Moment> steps = {Note(*cluster, table)};
  for (std::uint32_t step = 0; step < 8; ++step) {
    for (const auto& worker : workers) PushSome(*worker, table, gen, 2);
    for (const auto& worker : workers) Must(worker->EndStep());
    steps.push_back(Note(*cluster, table));
    if (step % 4 == 2) {
      programs.servers[step / 4]->Kill();
      programs.StartServer(step / 4);
    }
    absl::SleepFor(absl::Milliseconds(200));
  }
  PushSome(*workers[0], table, gen, 2);  // Of a step that does not end.
  const FromLog logs(programs);
  for (std::size_t step = 0; step < steps.size(); ++step) {
    CAPTURE(step);
    CHECK(logs.HashOf({"--step", absl::StrCat(step)}, absl::StrCat("step-", step)) ==
          steps[step].hash);
    CHECK(logs.HashAt(steps[step], absl::StrCat("at-", step)) == steps[step].hash);
  }
  const Outcome late = logs.Run({"--step", "9"}, "late");
  CHECK(late.code == 1);
  CHECK(late.said.find("step 9: is after what is kept: ") != std::string::npos);
  CHECK(late.said.find("steps from 0 to 8") != std::string::npos);
}

TEST_CASE("a bad batch is undone by the log and a rollback, before which moments are, too",
          "[cluster][process][replica][rollback][log]") {
  const test::ScratchDirectory store;
  ProgramCluster programs({.servers = 2,
                           .workers = 1,
                           .keeps_log = true,
                           .replicas = 2,
                           .keep_log = "1h",
                           .store = store.path()});
  RemoteOptions remote = programs.remote();
  remote.store = store.path();
  const auto cluster = Must(Cluster::Remote(remote));
  const TableId table = Must(cluster->CreateTable(test::ExactSpec("t", 1)));
  auto worker = Must(cluster->Connect());
  Rng gen(8);
  PushSome(*worker, table, gen, 5);
  const Moment good = Note(*cluster, table);
  PushSome(*worker, table, gen, 5);
  const Moment bad = Note(*cluster, table);
  PushSome(*worker, table, gen, 1);
  const Outcome made =
      RunProgram({LONGTAIL_PROGRAM, "ckpt", "from-log", programs.directory.path() + "/log", "--at",
                  TextOf(good.at), "--store", store.path(), "--as", "undone"});
  INFO(made.said);
  REQUIRE(made.code == 0);

  Must(cluster->RollBack("undone"));

  CHECK(Must(cluster->Statistics(table)).hash == good.hash);
  worker.reset();
  worker = Must(cluster->Connect());
  PushSome(*worker, table, gen, 5);
  const Moment after = Note(*cluster, table);
  PushSome(*worker, table, gen, 1);
  const FromLog logs(programs);
  CHECK(logs.HashAt(good, "good") == good.hash);
  CHECK(logs.HashAt(bad, "bad") == bad.hash);
  CHECK(logs.HashAt(after, "after") == after.hash);
  const Outcome range = RunProgram({LONGTAIL_PROGRAM, "ckpt", "log-range", logs.logs[0]});
  INFO(range.said);
  CHECK(range.said.find("since the rollback to undone at ") != std::string::npos);
}

TEST_CASE("what is older than is to be kept goes by itself", "[cluster][process][log]") {
  ProgramCluster programs(
      {.servers = 1, .workers = 1, .keeps_log = true, .writes_bases = true, .keep_log = "2s"});
  const auto cluster = Must(Cluster::Remote(programs.remote()));
  const TableId table = Must(cluster->CreateTable(test::ExactSpec("t", 1)));
  const auto worker = Must(cluster->Connect());
  Rng gen(7);
  PushSome(*worker, table, gen, 3);
  const Moment first = Note(*cluster, table);
  PushSome(*worker, table, gen, 1);
  const FromLog logs(programs);
  CHECK(logs.HashAt(first, "soon") == first.hash);
  const auto is_gone = [&] {
    PushSome(*worker, table, gen, 1);
    absl::SleepFor(absl::Milliseconds(200));
    const Outcome late = logs.Run({"--at", TextOf(first.at)}, "late");
    if (late.code == 0) {
      std::filesystem::remove_all(logs.store.path() + "/late");
      return false;
    }
    INFO(late.said);
    CHECK(late.said.find("is before what is kept") != std::string::npos);
    return true;
  };
  CHECK(test::Program::Await(absl::Seconds(30), is_gone));
  // What is newer is there.
  const Moment last = Note(*cluster, table);
  PushSome(*worker, table, gen, 1);
  CHECK(logs.HashAt(last, "last") == last.hash);
}

}  // namespace
}  // namespace longtail
