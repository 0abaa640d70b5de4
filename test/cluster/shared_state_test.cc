// Coordinators as processes, with their state in Ceph or etcd: one is killed, one is too many, one
// stands still for too long.
#include <signal.h>

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "cluster/program_cluster.h"
#include "io/this_process.h"
#include "support/store_place.h"

namespace longtail {
namespace {

using test::Must;
using test::Outcome;
using test::Program;
using test::ProgramCluster;
using test::StorePlace;

constexpr const char* kLease = "lease=2";

TEST_CASE("a coordinator that was killed goes on elsewhere from the state it shared",
          "[cluster][process]") {
  const auto place = StorePlace::Make(LONGTAIL_TEST_STORE);
  if (place == nullptr) return;
  ProgramCluster programs({.servers = 2, .workers = 2, .state = place->With(kLease)});
  const auto cluster = Must(Cluster::Remote(programs.remote()));
  const TableId table = Must(cluster->CreateTable(test::ExactSpec("t", 1)));
  const auto worker = Must(cluster->Connect());
  Must(worker->Push(table, std::vector<Key>{7}, std::vector<float>{-2}));

  programs.coordinator->Kill();
  Must(worker->Push(table, std::vector<Key>{7}, std::vector<float>{-2}));
  programs.StartCoordinator(programs.address);

  CHECK(Must(cluster->CreateTable(test::ExactSpec("t", 1))) == table);
  const TableId second = Must(cluster->CreateTable(test::ExactSpec("u", 1)));
  const auto other = Must(Cluster::Remote(programs.remote()));
  const auto other_worker = Must(other->Connect());
  CHECK(other_worker->rank() == 1);
  Must(other_worker->Push(second, std::vector<Key>{7}, std::vector<float>{-1}));
  CHECK(test::Rows(*other_worker, table, {7}, 1) == std::vector<float>{7});
  CHECK(test::Rows(*worker, second, {7}, 1) == std::vector<float>{4});
}

TEST_CASE("of two coordinators on one shared state the second is refused", "[cluster][process]") {
  const auto place = StorePlace::Make(LONGTAIL_TEST_STORE);
  if (place == nullptr) return;
  const std::vector<std::string> words = {LONGTAIL_PROGRAM, "coordinator", "--state",
                                          place->With(kLease)};
  Program first(words);
  REQUIRE(first.AwaitText("coordinator_listens", absl::Seconds(20)));

  const Outcome second = test::RunProgram(words);

  CHECK(second.code == 1);
  CHECK(second.said.find("is in use by another coordinator, process " + HostName() + ":" +
                         std::to_string(first.pid())) != std::string::npos);
}

TEST_CASE("a coordinator that stood still while another took over ends and says why",
          "[cluster][process]") {
  const auto place = StorePlace::Make(LONGTAIL_TEST_STORE);
  if (place == nullptr) return;
  const std::vector<std::string> words = {LONGTAIL_PROGRAM, "coordinator", "--state",
                                          place->With(kLease)};
  Program first(words);
  REQUIRE(first.AwaitText("coordinator_listens", absl::Seconds(20)));

  first.Send(SIGSTOP);
  Program second(words);
  REQUIRE(second.AwaitText("coordinator_listens", absl::Seconds(30)));
  first.Send(SIGCONT);

  CHECK(first.Wait(absl::Seconds(30)) == 1);
  CHECK(first.said().find("state_lost") != std::string::npos);
  CHECK(first.said().find("is in use by another coordinator, process " + HostName() + ":" +
                          std::to_string(second.pid())) != std::string::npos);
}

}  // namespace
}  // namespace longtail
