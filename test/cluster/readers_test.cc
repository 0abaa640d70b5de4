// Servers that only read follow every lane and answer readers: what was acknowledged is seen there
// soon, whoever leads, and training does not wait for them.
#include <algorithm>
#include <catch2/catch.hpp>
#include <csignal>
#include <string>
#include <vector>

#include "cluster/counted_pushes.h"
#include "cluster/program_cluster.h"
#include "server/training.h"

namespace longtail {
namespace {

using test::KeysBelow;
using test::Must;
using test::Program;
using test::ProgramCluster;

std::unique_ptr<Program> StartReader(const ProgramCluster& programs, const std::string& name) {
  auto reader = std::make_unique<Program>(std::vector<std::string>{
      LONGTAIL_PROGRAM, "serve", "--coordinator", programs.address, "--name", name, "--listen",
      "tcp://127.0.0.1:0", "--join-timeout", "30", "--reads"});
  const bool serves = reader->AwaitText("server_serves", absl::Seconds(30));
  INFO(reader->said());
  REQUIRE(serves);
  return reader;
}

std::vector<Member> Readers(const ProgramCluster& programs) {
  std::vector<Member> members = Must(ReadClusterStatus(programs.address, absl::Seconds(5))).members;
  std::erase_if(members, [](const Member& member) { return member.reads == 0; });
  return members;
}

// Whether `want` is in all rows within some seconds.
bool SeesSoon(Worker& reader, TableId table, const std::vector<Key>& keys, float want) {
  return Program::Await(absl::Seconds(20), [&] {
    return test::Rows(reader, table, keys, 1) == std::vector<float>(keys.size(), want);
  });
}

TEST_CASE("a server that only reads has what was acknowledged, and goes on when leaders change",
          "[cluster][process][reader]") {
  ProgramCluster programs({.servers = 2,
                           .workers = 1,
                           .step_mode = GENERATE("asynchronous", "synchronous"),
                           .replicas = 2});
  const auto cluster = Must(Cluster::Remote(programs.remote()));
  const TableId table = Must(cluster->CreateTable(test::ExactSpec("t", 1)));
  const auto worker = Must(cluster->Connect({.retry_after = std::chrono::milliseconds(300)}));
  const std::vector<Key> keys = KeysBelow(300);
  const std::vector<float> gradients(keys.size(), -1);
  const auto push = [&] {
    Must(worker->Push(table, keys, gradients));
    Must(worker->EndStep());
  };
  push();
  // Without any of them, leaders answer.
  const auto serving = Must(Cluster::Remote(programs.remote()));
  const auto early = Must(serving->ConnectReader({.retry_after = std::chrono::milliseconds(300)}));
  CHECK(SeesSoon(*early, table, keys, 4));

  const auto server = StartReader(programs, "reader-0");
  const auto late = Must(serving->ConnectReader({.retry_after = std::chrono::milliseconds(300)}));
  CHECK(SeesSoon(*late, table, keys, 4));
  CHECK(SeesSoon(*early, table, keys, 4));
  for (int i = 0; i < 10; ++i) push();
  CHECK(SeesSoon(*late, table, keys, 14));
  REQUIRE(Readers(programs).size() == 1);
  CHECK(Readers(programs)[0].reads == 2);
  CHECK(Readers(programs)[0].lanes == 0);
  CHECK(Program::Await(absl::Seconds(10), [&] {
    test::Rows(*late, table, keys, 1);
    return Readers(programs)[0].rows_pulled_per_second > 0 && Readers(programs)[0].behind_ms < 5000;
  }));

  programs.servers[0]->Kill();
  push();
  CHECK(SeesSoon(*late, table, keys, 15));

  // It takes part in nothing else.
  const absl::Status pushed = late->Push(table, keys, gradients);
  CHECK(absl::IsFailedPrecondition(pushed));
  CHECK(std::string(pushed.message()).find("only pulls") != std::string::npos);
  CHECK(absl::IsFailedPrecondition(late->EndStep()));
  const absl::Status moved =
      AskToPlace(programs.address,
                 {.request = 0, .placing = Placing::kDrain, .lane = {}, .server = "reader-0"},
                 absl::Seconds(5));
  CHECK(std::string(moved.message()) ==
        "server 'reader-0' only reads: no lane moves to it or from it");
}

TEST_CASE("who reads goes elsewhere when a reading server ends, and training waits for none",
          "[cluster][process][reader]") {
  ProgramCluster programs({.servers = 1, .workers = 1, .keeps_log = GENERATE(false, true)});
  const auto cluster = Must(Cluster::Remote(programs.remote()));
  const TableId table = Must(cluster->CreateTable(test::ExactSpec("t", 1)));
  const auto worker = Must(cluster->Connect());
  const std::vector<Key> keys = KeysBelow(300);
  const std::vector<float> gradients(keys.size(), -1);
  auto first = StartReader(programs, "reader-0");
  const auto serving = Must(Cluster::Remote(programs.remote()));
  const auto reader = Must(serving->ConnectReader({.retry_after = std::chrono::milliseconds(300)}));
  Must(worker->Push(table, keys, gradients));
  CHECK(SeesSoon(*reader, table, keys, 4));

  // It stands still: nobody waits for it but who reads.
  first->Send(SIGSTOP);
  const absl::Time begin = absl::Now();
  for (int i = 0; i < 10; ++i) Must(worker->Push(table, keys, gradients));
  CHECK(absl::Now() - begin < absl::Seconds(2));
  CHECK(SeesSoon(*reader, table, keys, 14));  // Now its leaders answer.
  CHECK(Readers(programs).empty());
  first->Send(SIGCONT);  // It joins again by itself.
  CHECK(Program::Await(absl::Seconds(20), [&] { return Readers(programs).size() == 1; }));
  Must(worker->Push(table, keys, gradients));
  CHECK(SeesSoon(*reader, table, keys, 15));

  first->Kill();
  Must(worker->Push(table, keys, gradients));
  CHECK(SeesSoon(*reader, table, keys, 16));
  first = StartReader(programs, "reader-0");
  const auto second = StartReader(programs, "reader-1");
  CHECK(Readers(programs).size() == 2);
  CHECK(SeesSoon(*reader, table, keys, 16));
  // Tables that come later are followed, too.
  const TableId later = Must(cluster->CreateTable(test::ExactSpec("u", 1)));
  Must(worker->Push(later, keys, gradients));
  const auto another = Must(serving->ConnectReader());
  CHECK(SeesSoon(*another, later, keys, 4));
}

}  // namespace
}  // namespace longtail
