// A cluster with keys: what it lets in trains as ever, through crashes and all; what it does not is
// told why, counted, and disturbs nobody.
#include <sys/socket.h>
#include <sys/wait.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/random.h"
#include "cluster/coordinator_place.h"
#include "cluster/counted_pushes.h"
#include "cluster/program_cluster.h"
#include "cluster/tcp_address.h"
#include "io/key_directory.h"
#include "server/scratch_directory.h"
#include "support/http_get.h"
#include "support/program.h"

namespace longtail {
namespace {

using test::CountedPushes;
using test::KeyDirectory;
using test::Must;
using test::Program;
using test::ProgramCluster;
using test::Says;

constexpr absl::Duration kSoon = absl::Seconds(5);

// The keys of a cluster and of one client of each role.
struct Keys {
  Keys() : files(scratch.path()) {
    files.Add("operator", "operator the-operator");
    files.Add("trainer", "worker the-trainer");
    files.Add("web", "reader the-web");
    files.Add("stranger", "");
  }
  ProgramCluster::Options options() const {
    ProgramCluster::Options options;
    options.keys = files.cluster();
    options.own_keys = files.of("operator");
    return options;
  }
  // The place that a client with these keys names.
  std::string As(const ProgramCluster& cluster, const std::string& name) const {
    return absl::StrCat(Must(FindCoordinator(cluster.address)).address, "?keys=", files.of(name));
  }

  const test::ScratchDirectory scratch;
  KeyDirectory files;
};

TEST_CASE("a cluster with keys loses no push when a server is killed", "[cluster][keys]") {
  const Keys keys;
  ProgramCluster::Options options = keys.options();
  options.servers = 3;
  options.replicas = 2;
  options.keeps_log = true;
  ProgramCluster processes(options);
  REQUIRE(processes.AwaitReplicas(absl::Seconds(20)));
  const auto cluster = Must(Cluster::Remote({.coordinator = keys.As(processes, "trainer")}));
  const TableId table = Must(cluster->CreateTable(test::ExactSpec("t", 4)));
  CountedPushes pushes(*cluster, table);
  REQUIRE(pushes.AwaitMore());
  for (const std::uint32_t i : {1U, 0U}) {
    processes.servers[i]->Kill();
    REQUIRE(pushes.AwaitMore());
    processes.StartServer(i);
    REQUIRE(processes.AwaitReplicas(absl::Seconds(30)));
  }
  REQUIRE(pushes.AwaitMore());
  pushes.Stop();
  CHECK(pushes.AreExact());
}

TEST_CASE("who has no key that counts is told so, soon", "[cluster][keys][mistake]") {
  const Keys keys;
  ProgramCluster::Options options = keys.options();
  options.servers = 1;
  const ProgramCluster processes(options);
  const std::string plain = Must(FindCoordinator(processes.address)).address;
  const auto fails = [](std::vector<std::string> words, const std::string& sentence) {
    words.insert(words.begin(), LONGTAIL_PROGRAM);
    const test::Outcome outcome = test::RunProgram(words);
    INFO(words[1] << " says: " << outcome.said);
    CHECK(outcome.code == 1);
    CHECK(outcome.said.find(sentence) != std::string::npos);
    CHECK(outcome.took < kSoon + absl::Seconds(2));
  };
  fails({"status", "--cluster", plain}, "wants keys: name them, as ADDRESS?keys=");
  fails({"status", "--cluster", keys.As(processes, "stranger")}, "is not on its list of clients");
  fails({"status", "--cluster", plain + "?keys=/none"}, "'/none/cluster.public'");
  fails({"status", "--cluster", plain + "?key=x"}, "want ?keys=DIRECTORY");
  fails({"serve", "--coordinator", plain, "--name", "s", "--join-timeout", "1"},
        "wants keys: name them");
  // Whoever has a client's keys is no server.
  fails({"serve", "--coordinator", keys.As(processes, "trainer"), "--name", "s", "--join-timeout",
         "1"},
        "want the cluster's, with cluster.secret, to listen");
  const absl::Status status =
      Cluster::Remote({.coordinator = plain, .join_timeout = std::chrono::seconds(1)}).status();
  CHECK(Says(status, "wants keys: name them"));
}

TEST_CASE("a client does what its role may, and hears of the rest that it may not",
          "[cluster][keys]") {
  const Keys keys;
  ProgramCluster::Options options = keys.options();
  options.store = keys.scratch.path() + "/store";
  const ProgramCluster processes(options);
  const auto trainer = Must(Cluster::Remote(
      {.coordinator = keys.As(processes, "trainer"), .store = keys.scratch.path() + "/store"}));
  const TableId table = Must(trainer->CreateTable(test::ExactSpec("t", 4)));
  const auto worker = Must(trainer->Connect());
  Must(worker->Push(table, std::vector<Key>{5}, std::vector<float>(4, -2)));
  Must(trainer->Checkpoint("step-1").status());
  CHECK(Says(trainer->RollBack("step-1"),
             "client 'the-trainer' is a worker: RollBack wants the role operator"));

  const auto web = Must(Cluster::Remote({.coordinator = keys.As(processes, "web")}));
  CHECK(Says(web->Connect().status(),
             "client 'the-web' is a reader: JoinWorker wants the role worker"));
  CHECK(Says(web->CreateTable(test::ExactSpec("u", 4)).status(),
             "client 'the-web' is a reader: DefineTable wants the role worker"));
  const auto reader = Must(web->ConnectReader({}));
  CHECK(test::Rows(*reader, Must(web->FindTable("t")), {5}, 4) == std::vector<float>(4, 5));
  CHECK(absl::IsPermissionDenied(AskToPlace(
      keys.As(processes, "trainer"),
      {.request = 0, .placing = Placing::kRebalance, .lane = {}, .server = {}}, absl::Seconds(5))));
  const auto boss = Must(Cluster::Remote(
      {.coordinator = keys.As(processes, "operator"), .store = keys.scratch.path() + "/store"}));
  Must(boss->RollBack("step-1"));
}

TEST_CASE("a client pulls and pushes the tables that are its, and no others", "[cluster][keys]") {
  Keys keys;
  keys.files.Add("ads", "worker of-ads tables=ads,more");
  keys.files.Add("ads-web", "reader of-web tables=ads");
  const ProgramCluster processes(keys.options());
  const auto trainer = Must(Cluster::Remote({.coordinator = keys.As(processes, "trainer")}));
  const TableId ads = Must(trainer->CreateTable(test::ExactSpec("ads", 1)));
  const TableId items = Must(trainer->CreateTable(test::ExactSpec("items", 1)));
  const auto some = Must(Cluster::Remote({.coordinator = keys.As(processes, "ads")}));
  const auto worker = Must(some->Connect({.retry_after = std::chrono::milliseconds(50)}));
  const std::vector<Key> key = {5};
  Must(worker->Push(ads, key, std::vector<float>{-2}));
  CHECK(test::Rows(*worker, ads, key, 1) == std::vector<float>{5});
  const char* const wanted =
      "client 'of-ads': PullRequest is of table 'items', which is not among its tables";
  std::vector<float> row(1);
  CHECK(Says(worker->Pull(items, key, row), wanted));
  CHECK(Says(some->CreateTable(test::ExactSpec("items_2", 1)).status(),
             "client 'of-ads': DefineTable is of table 'items_2'"));
  // One that it makes is its at once, though its name comes to the servers later.
  const TableId more = Must(some->CreateTable(test::ExactSpec("more", 1)));
  Must(worker->Push(more, key, std::vector<float>{-1}));
  CHECK(test::Rows(*worker, more, key, 1) == std::vector<float>{4});

  const auto web = Must(Cluster::Remote({.coordinator = keys.As(processes, "ads-web")}));
  const auto reader = Must(web->ConnectReader({}));
  CHECK(test::Rows(*reader, ads, key, 1) == std::vector<float>{5});
  CHECK(Says(reader->Pull(more, key, row), "which is not among its tables"));
  // Nothing came of what was refused.
  CHECK(Must(trainer->Statistics(items)).pulls == 0);
}

TEST_CASE("a client that has used up its rows waits, and nobody else does", "[cluster][keys]") {
  Keys keys;
  keys.files.Add("slow", "worker slow rows_per_second=2000");
  ProgramCluster::Options options = keys.options();
  options.servers = 1;
  const ProgramCluster processes(options);
  std::vector<Key> some;
  for (Key key = 0; key < 1000; ++key) some.push_back(key);
  const std::vector<float> gradients(some.size() * 4, -1);
  const auto push = [&](const std::string& name, TableId table, Cluster& cluster, int times) {
    const auto worker = Must(cluster.Connect({.retry_after = std::chrono::milliseconds(50)}));
    const absl::Time begin = absl::Now();
    for (int i = 0; i < times; ++i) Must(worker->Push(table, some, gradients));
    INFO(name);
    return absl::Now() - begin;
  };
  const auto trainer = Must(Cluster::Remote({.coordinator = keys.As(processes, "trainer")}));
  const auto slow = Must(Cluster::Remote({.coordinator = keys.As(processes, "slow")}));
  const TableId table = Must(trainer->CreateTable(test::ExactSpec("t", 4)));
  // 10,000 rows, of which 2,000 a second, and one request on credit.
  const absl::Duration took = push("slow", table, *slow, 10);
  CHECK(took > absl::Seconds(3));
  CHECK(took < absl::Seconds(20));
  CHECK(push("trainer", table, *trainer, 10) < absl::Seconds(2));
  CHECK(Must(trainer->Statistics(table)).pushes == 20'000);
}

TEST_CASE("a port that others reach is listened on with keys, or when that is meant",
          "[cluster][keys]") {
  const test::Outcome refused =
      test::RunProgram({LONGTAIL_PROGRAM, "coordinator", "--listen", "tcp://0.0.0.0:0"});
  CHECK(refused.code == 1);
  CHECK(refused.said.find("listening on 'tcp://0.0.0.0:0', which other machines may reach, "
                          "without keys") != std::string::npos);
  const test::Outcome server =
      test::RunProgram({LONGTAIL_PROGRAM, "serve", "--coordinator", "tcp://127.0.0.1:1", "--listen",
                        "tcp://0.0.0.0:0"});
  CHECK(server.code == 1);
  CHECK(server.said.find("say --plain") != std::string::npos);
  const Keys keys;
  const test::Outcome both = test::RunProgram(
      {LONGTAIL_PROGRAM, "coordinator", "--plain", "--keys", keys.files.cluster()});
  CHECK(both.code == 1);
  CHECK(both.said.find("want one or the other") != std::string::npos);

  Program plain({LONGTAIL_PROGRAM, "coordinator", "--listen", "tcp://0.0.0.0:0", "--plain"});
  CHECK(Program::Await(absl::Seconds(10), [&] {
    return plain.said().find("warning plain listen=tcp://0.0.0.0:0") != std::string::npos;
  }));
  Program secure({LONGTAIL_PROGRAM, "coordinator", "--listen", "tcp://0.0.0.0:0", "--keys",
                  keys.files.cluster()});
  CHECK(Program::Await(absl::Seconds(10), [&] {
    return secure.said().find("coordinator_listens") != std::string::npos;
  }));
}

// What a stranger says: ZeroMQ's greeting with CURVE, then anything.
std::string Nonsense(Rng& gen) {
  std::string bytes;
  if (gen.Below(4) != 0) {
    bytes = std::string("\xFF\0\0\0\0\0\0\0\1\x7F\3\0CURVE", 17) + std::string(47, '\0');
  }
  if (gen.Below(2) == 0) {
    // A HELLO of the right size: what follows its name is noise.
    bytes += std::string("\4\xC8\5HELLO\1\0", 10);
  }
  for (std::size_t n = gen.Below(400); n > 0; --n) bytes += static_cast<char>(gen.Below(256));
  return bytes;
}

// LONGTAIL_STRANGER_SECONDS: for so long.
TEST_CASE("strangers at the ports of a cluster with keys disturb nobody", "[cluster][keys]") {
  const char* const wanted = std::getenv("LONGTAIL_STRANGER_SECONDS");
  const absl::Duration duration = absl::Seconds(wanted == nullptr ? 4 : std::atof(wanted));
  const Keys keys;
  ProgramCluster processes(keys.options());
  const auto cluster = Must(Cluster::Remote({.coordinator = keys.As(processes, "trainer")}));
  const TableId table = Must(cluster->CreateTable(test::ExactSpec("t", 4)));
  CountedPushes pushes(*cluster, table);
  REQUIRE(pushes.AwaitMore());
  std::vector<std::string> ports;
  const auto status = Must(ReadClusterStatus(processes.address, absl::Seconds(5)));
  ports.push_back(status.coordinator);
  for (const ServerEntry& server : status.map->servers) {
    ports.push_back(server.lanes[0].addresses[0]);
  }
  std::atomic<bool> stop = false;
  std::atomic<int> said = 0;
  std::vector<std::thread> strangers;
  for (std::uint64_t t = 0; t < 3; ++t) {
    strangers.emplace_back([&, t] {
      Rng gen(t + 1);
      while (!stop) {
        const int fd = test::ConnectTo(ports[gen.Below(ports.size())], 1);
        if (fd < 0) continue;
        for (std::size_t n = 1 + gen.Below(3); n > 0; --n) {
          const std::string bytes = Nonsense(gen);
          if (send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL) < 0) break;
        }
        ++said;
        close(fd);
      }
    });
  }
  const absl::Time until = absl::Now() + duration;
  while (absl::Now() < until) REQUIRE(pushes.AwaitMore());
  stop = true;
  for (std::thread& stranger : strangers) stranger.join();
  CHECK(said > 20);
  pushes.Stop();
  CHECK(pushes.AreExact());
  for (const auto& server : processes.servers) CHECK(waitpid(server->pid(), nullptr, WNOHANG) == 0);
  CHECK(waitpid(processes.coordinator->pid(), nullptr, WNOHANG) == 0);
}

}  // namespace
}  // namespace longtail
