// `longtail up`, `status` and `down`, as a user runs them.
#include "cli/local_cluster.h"

#include <signal.h>

#include <CLI/CLI.hpp>
#include <catch2/catch.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cli/command_outcome.h"
#include "cli/coordinator_command.h"
#include "cli/down_command.h"
#include "cli/place_command.h"
#include "cli/program_process.h"
#include "cli/serve_command.h"
#include "cli/status_command.h"
#include "cli/up_command.h"
#include "protocol/step_mode_names.h"
#include "server/cluster_fixture.h"
#include "server/scratch_directory.h"
#include "support/http_get.h"
#include "support/program.h"

namespace longtail::cli {
namespace {

using nlohmann::json;
using test::Must;
using test::Outcome;
using test::Program;

bool Says(const Outcome& outcome, const std::string& text) {
  INFO(outcome.said);
  return outcome.said.find(text) != std::string::npos;
}

// A directory whose cluster ends with the test.
class Fixture {
 public:
  ~Fixture() { EndLocalCluster(dir(), absl::ZeroDuration()).IgnoreError(); }

  std::string dir() const { return directory_.path() + "/c"; }

  static Outcome Run(std::vector<std::string> words) {
    words.insert(words.begin(), LONGTAIL_PROGRAM);
    return test::RunProgram(words, absl::Seconds(60));
  }
  Outcome Up(std::vector<std::string> words) const {
    words.insert(words.begin(), "up");
    words.insert(words.end(), {"--dir", dir()});
    return Run(words);
  }
  Outcome Status() const { return Run({"status", "--cluster", dir() + "/cluster"}); }
  Outcome Down() const { return Run({"down", "--dir", dir()}); }
  ProgramProcess Process(const std::string& name) const {
    return ReadPidFile(dir() + "/run/" + name + ".pid");
  }

 private:
  const test::ScratchDirectory directory_;
};

TEST_CASE_METHOD(Fixture, "lanes of a cluster of this machine move, and a server is drained",
                 "[cli][cluster][moves]") {
  const Outcome up = Up({"3", "--lanes", "1", "--replicas", "2"});
  INFO(up.said);
  REQUIRE(up.code == 0);
  CHECK(Says(Status(), "  2 replicas of each lane\n"));
  const std::string cluster = dir() + "/cluster";
  // Each place is taken: lane 1 is on servers 0 and 1, and no other server has room for it.
  const Outcome full = Run({"drain", "server-0", "--cluster", cluster});
  CHECK(full.code == 1);
  CHECK(Says(full, "lane 1: no other server has a free place for it"));
  const Outcome moved = Run({"move", "1", "server-1", "--cluster", cluster});
  INFO(moved.said);
  CHECK(moved.code == 0);
  CHECK(Says(moved, "done after "));
  const json leads = json::parse(Run({"status", "--json", "--cluster", cluster}).said);
  CHECK(leads["servers"][0]["lanes"] == 0);
  CHECK(leads["servers"][1]["lanes"] == 2);
  // One more makes room.
  const Program more({LONGTAIL_PROGRAM, "serve", "--coordinator", cluster, "--name", "server-3",
                      "--lanes", "1", "--replicas", "2"});
  REQUIRE(more.AwaitText("server_serves", absl::Seconds(30)));
  const Outcome drained = Run({"drain", "server-0", "--cluster", cluster});
  INFO(drained.said);
  CHECK(drained.code == 0);
  CHECK(Says(drained, "server 'server-0' has nothing left"));
  CHECK(Says(Status(), "drained: gets no lanes any more"));
  CHECK(Run({"rebalance", "--cluster", cluster}).code == 0);
  CHECK(Run({"rebalance", "--cancel", "--cluster", cluster}).code == 0);
  const Outcome unknown = Run({"move", "9", "server-1", "--cluster", cluster});
  CHECK(Says(unknown, "there is no lane 9: want 1..3"));
}

TEST_CASE_METHOD(Fixture, "a cluster of this machine is started, looked at, used and ended",
                 "[cli][cluster]") {
  const Outcome up = Up({"2", "--lanes", "2", "--partitions", "8", "--workers", "3"});
  INFO(up.said);
  REQUIRE(up.code == 0);
  CHECK(Says(up, "cluster of 2 servers, 4 lanes and 8 partitions is up at tcp://127.0.0.1:"));
  CHECK(Says(up, "--cluster " + dir() + "/cluster"));
  CHECK(Says(up, "longtail down --dir " + dir()));
  const std::size_t page = up.said.find("http://127.0.0.1:");
  REQUIRE(page != std::string::npos);
  const std::string address = up.said.substr(page + 7, up.said.find('/', page + 7) - page - 7);
  CHECK(test::HttpGet(address, "/readyz").body == "ready\n");
  CHECK(test::HttpGet(address, "/").body.starts_with("<!DOCTYPE html>"));
  CHECK(json::parse(test::HttpGet(address, "/api/v1/status").body)["servers"].size() == 2);

  {
    const auto cluster =
        Must(Cluster::Remote({.coordinator = dir() + "/cluster", .store = dir() + "/store"}));
    CHECK(cluster->options().workers == 3);
    const TableId table = Must(cluster->CreateTable(test::ExactSpec("t", 1)));
    const auto worker = Must(cluster->Connect());
    Must(worker->Push(table, std::vector<Key>{1, 2}, std::vector<float>{-1, -2}));
    CHECK(test::Rows(*worker, table, {1, 2}, 1) == std::vector<float>{4, 5});
    CHECK(Must(cluster->Checkpoint("c", {})).step == 0);
    CHECK(std::filesystem::exists(dir() + "/store/c/MANIFEST.json"));

    const Outcome status = Status();
    CHECK(status.code == 0);
    CHECK(Says(status, ": formed\n"));
    CHECK(Says(status, "server-1"));
    CHECK(Says(status, "    1  t      sgd"));
    const json document =
        json::parse(Run({"status", "--json", "--cluster", dir() + "/cluster"}).said);
    CHECK(document["workers"].size() == 1);
    CHECK(document["servers"].size() == 2);
  }

  const Outcome again = Up({"1"});
  CHECK(again.code == 1);
  CHECK(Says(again, "a cluster in '" + dir() + "' is alive: coordinator (process "));

  const ProgramProcess server = Process("server-0");
  const Outcome down = Down();
  CHECK(down.code == 0);
  CHECK(Says(down, "server-0 (process " + std::to_string(server.pid) + "): ended\n"));
  CHECK(Says(down, "coordinator (process "));
  CHECK(!IsAlive(server));
  CHECK(!std::filesystem::exists(dir() + "/cluster"));
  CHECK(test::ReadWhole(dir() + "/logs/server-0.log").find("server_ends signal=15") !=
        std::string::npos);

  const Outcome nothing = Down();
  CHECK(nothing.code == 1);
  CHECK(Says(nothing, "no cluster was started in '" + dir() + "', or it was ended"));
  CHECK(Status().code == 1);
  // A new cluster in the same place, of another shape.
  CHECK(Up({"1", "--step-mode", "synchronous"}).code == 0);
  CHECK(Says(Status(), "synchronous, 1 worker;"));
}

TEST_CASE_METHOD(Fixture, "with logs, what does not run is started again and has what it had",
                 "[cli][cluster]") {
  REQUIRE(Up({"2", "--log"}).code == 0);
  const RemoteOptions remote{.coordinator = dir() + "/cluster"};
  std::vector<Key> keys;
  for (Key key = 0; key < 100; ++key) keys.push_back(key);
  TableId table{};
  {
    const auto cluster = Must(Cluster::Remote(remote));
    table = Must(cluster->CreateTable(test::ExactSpec("t", 1)));
    const auto worker = Must(cluster->Connect());
    Must(worker->Push(table, keys, std::vector<float>(100, -1)));
    const ProgramProcess other = Process("server-0");
    kill(Process("server-1").pid, SIGKILL);
    kill(Process("coordinator").pid, SIGKILL);
    CHECK(Program::Await(absl::Seconds(10), [&] { return !IsAlive(Process("server-1")); }));

    const Outcome again = Up({"2", "--log"});
    INFO(again.said);
    CHECK(again.code == 0);

    CHECK(Process("server-0").pid == other.pid);
    Must(worker->Push(table, keys, std::vector<float>(100, -1)));
    CHECK(test::Rows(*worker, table, keys, 1) == std::vector<float>(100, 5));
  }
  CHECK(Down().code == 0);
  const Outcome forgetful = Up({"2"});
  CHECK(forgetful.code == 1);
  CHECK(Says(forgetful, "keeps logs: want --log, or, to begin without what they have, remove '"));

  REQUIRE(Up({"2", "--log", "--keep-log", "1h"}).code == 0);
  CHECK(Process("server-0").command_line.find(" --keep-log 1h") != std::string::npos);
  const auto cluster = Must(Cluster::Remote(remote));
  CHECK(Must(cluster->FindTable("t")) == table);
  const auto worker = Must(cluster->Connect());
  CHECK(test::Rows(*worker, table, keys, 1) == std::vector<float>(100, 5));
}

TEST_CASE_METHOD(Fixture, "a cluster that cannot be is not left behind", "[cli][cluster]") {
  CHECK(Says(Up({"1", "--keep-log", "1h"}), "keep log 1h: there is no log: want --log, too"));
  CHECK(Says(Up({"1", "--log", "--keep-log", "1"}), "age '1': want a whole number"));
  const Outcome wrong = Up({"1", "--partitions", "3"});
  CHECK(wrong.code == 1);
  CHECK(Says(wrong,
             "coordinator ended with exit status 1, saying: longtail: partitions 3: want a "
             "power of two"));
  const Outcome crowded = Up({"2", "--partitions", "4", "--lanes", "3"});
  CHECK(crowded.code == 1);
  CHECK(Says(crowded, "ended with exit status 1, saying: longtail: server 'server-"));
  CHECK(Says(crowded, "with 3 lanes makes 6: want at most 4"));
  CHECK(Says(Down(), "no cluster was started"));
  CHECK(!std::filesystem::exists(dir() + "/cluster"));
}

TEST_CASE_METHOD(Fixture, "what does not end when it is told to is killed", "[cli][cluster]") {
  REQUIRE(Up({"1"}).code == 0);
  const ProgramProcess server = Process("server-0");
  const ProgramProcess coordinator = Process("coordinator");
  Signal(server, SIGSTOP);
  Signal(coordinator, SIGKILL);
  REQUIRE(AwaitEnd(coordinator, absl::Now() + absl::Seconds(10)));
  CHECK(Says(Status(), "connection refused: nobody listens there"));

  const Outcome down = Run({"down", "--dir", dir(), "--timeout", "0.5"});

  CHECK(down.code == 0);
  CHECK(Says(down, ": did not end within 500ms: killed"));
  CHECK(Says(down, ": was not running any more"));
  CHECK(!IsAlive(server));
}

TEST_CASE_METHOD(Fixture, "a process that took the number of one of ours is left alone",
                 "[cli][cluster]") {
  test::Program other({LONGTAIL_PROGRAM, "serve", "--coordinator", "tcp://127.0.0.1:1"});
  REQUIRE(other.AwaitText("waiting", absl::Seconds(20)));
  std::filesystem::create_directories(dir() + "/run");
  Must(WritePidFile(dir() + "/run/server-0.pid",
                    {.name = "server-0", .pid = other.pid(), .command_line = "longtail serve x"}));

  CHECK(Says(Down(), "was not running any more"));

  CHECK(kill(other.pid(), 0) == 0);
  other.Send(SIGINT);
  CHECK(other.Wait(absl::Seconds(10)) == 0);
}

TEST_CASE_METHOD(Fixture, "a cluster that misses a server is not well", "[cli][cluster]") {
  std::filesystem::create_directories(dir());
  test::Program coordinator({LONGTAIL_PROGRAM, "coordinator", "--servers", "2", "--lease", "5",
                             "--write-address", dir() + "/cluster"});
  REQUIRE(coordinator.AwaitText("coordinator_listens", absl::Seconds(20)));
  const auto start = [&](const char* name) {
    return std::make_unique<test::Program>(std::vector<std::string>{
        LONGTAIL_PROGRAM, "serve", "--coordinator", dir() + "/cluster", "--name", name});
  };
  const auto first = start("a");
  REQUIRE(first->AwaitText("here: a", absl::Seconds(20)));
  CHECK(Status().code == 3);
  CHECK(Says(Status(), "not formed, waits for 1 of 2 servers; here: a\n"));
  const auto second = start("b");
  REQUIRE(second->AwaitText("server_serves", absl::Seconds(20)));
  CHECK(Status().code == 0);

  second->Kill();

  CHECK(test::Program::Await(absl::Seconds(20), [&] { return Status().code == 3; }));
  CHECK(Says(Status(), "b       LATE silent; its lanes were at tcp://127.0.0.1:"));
  coordinator.Send(SIGTERM);
  CHECK(coordinator.Wait(absl::Seconds(10)) == 0);
  CHECK(Says({.code = 0, .said = coordinator.said(), .took = {}}, "coordinator_ends signal=15"));
}

TEST_CASE("commands have their options and defaults", "[cli][cluster]") {
  CLI::App app;
  const CoordinatorCommand coordinator(app);
  const ServeCommand serve(app);
  const UpCommand up(app);
  const StatusCommand status(app);
  const DownCommand down(app);
  CHECK_THROWS(app.parse("serve"));
  CHECK_THROWS(app.parse("up"));
  CHECK_THROWS(app.parse("coordinator --lease 1"));
  CHECK_THROWS(app.parse("coordinator --step-mode sometimes"));
  app.parse("down");
  CHECK(down.parsed());
  CHECK(!up.parsed());
  CHECK(CommandOutcome{}.code == 0);
  for (const StepMode mode :
       {StepMode::kSynchronous, StepMode::kAsynchronous, StepMode::kBoundedStaleness}) {
    CHECK(StepModeOf(StepModeName(mode)) == mode);
  }
}

}  // namespace
}  // namespace longtail::cli
