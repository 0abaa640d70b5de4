// What processes of a cluster show over HTTP: figures that are exact, health that is true.
#include <catch2/catch.hpp>
#include <cstdlib>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "cluster/coordinator_figures.h"
#include "cluster/process_fixture.h"
#include "cluster/process_pages.h"
#include "cluster/server_figures.h"
#include "cluster/status_json.h"
#include "cluster/table_json.h"
#include "server/scratch_directory.h"
#include "support/free_port.h"
#include "support/http_get.h"

namespace longtail {
namespace {

using nlohmann::json;
using test::HttpGet;
using test::Must;

// The value of each line of a page of figures.
std::map<std::string, double> Figures(const std::string& text) {
  std::map<std::string, double> figures;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string line = text.substr(at, end - at);
    at = end + 1;
    const std::size_t space = line.rfind(' ');
    if (line.empty() || line[0] == '#' || space == std::string::npos) continue;
    CHECK(figures.emplace(line.substr(0, space), std::atof(line.c_str() + space + 1)).second);
  }
  return figures;
}

// The sum over all label sets of a name that have `with` among their labels.
double Sum(const std::map<std::string, double>& figures, const std::string& name,
           const std::string& with = "") {
  double sum = 0;
  for (const auto& [line, value] : figures) {
    if (line.substr(0, line.find('{')) == name && line.find(with) != std::string::npos) {
      sum += value;
    }
  }
  return sum;
}

// Asks until the answer is as wanted; what it last was.
template <typename Ask, typename IsWanted>
auto Until(Ask ask, IsWanted is_wanted) {
  const absl::Time deadline = absl::Now() + absl::Seconds(60);
  for (;;) {
    auto answer = ask();
    if (is_wanted(answer) || absl::Now() > deadline) return answer;
    absl::SleepFor(absl::Milliseconds(50));
  }
}

std::string FreeAddress() {
  return absl::StrCat("127.0.0.1:", test::FreePort());
}

TEST_CASE("a loop stands still once it has not looked around for two minutes", "[pages]") {
  LoopMeter meter;
  const absl::Time now = absl::FromUnixSeconds(1'700'000'000);
  CHECK(StandsStill("lane-0", meter, now).empty());  // It has not begun.
  meter.NoteTurn(now);
  CHECK(StandsStill("lane-0", meter, now + absl::Seconds(119)).empty());
  CHECK(StandsStill("lane-0", meter, now + absl::Seconds(130)) ==
        "lane-0 has not looked around for 2m10s");
}

TEST_CASE("a process that stands still does not live, one that waits does", "[pages]") {
  std::vector<std::string> standing_still;
  std::vector<std::string> reasons = {"reads its logs"};
  const auto pages =
      Must(ShowPages("127.0.0.1:0", {.standing_still = [&] { return standing_still; },
                                     .why_not_ready = [&] { return reasons; },
                                     .figures = [](MetricPage&) {},
                                     .status = [] { return std::string("{}\n"); }}));
  CHECK(HttpGet(pages->address(), "/livez").code == 200);
  CHECK(HttpGet(pages->address(), "/readyz").code == 503);
  CHECK(HttpGet(pages->address(), "/readyz").body == "reads its logs\n");
  CHECK(Figures(HttpGet(pages->address(), "/metrics").body).at("longtail_ready") == 0);
  reasons.clear();
  CHECK(HttpGet(pages->address(), "/readyz").body == "ready\n");
  const auto figures = Figures(HttpGet(pages->address(), "/metrics").body);
  CHECK(figures.at("longtail_ready") == 1);
  CHECK(figures.at("process_resident_memory_bytes") > 1e6);
  CHECK(figures.at("process_open_fds") > 3);
  CHECK(figures.at("process_cpu_seconds_total") > 0);
  const double age = absl::ToDoubleSeconds(absl::Now() - absl::UnixEpoch()) -
                     figures.at("process_start_time_seconds");
  CHECK(age > -2);
  CHECK(age < 3600);
  standing_still = {"lane-0 has not looked around for 130s"};
  CHECK(HttpGet(pages->address(), "/livez").code == 503);
  CHECK(HttpGet(pages->address(), "/livez").body == standing_still[0] + "\n");
}

TEST_CASE("what a cluster lacks is in the coordinator's figures", "[pages]") {
  ClusterMap map;
  map.version = 7;
  map.epoch = 2;
  map.replicas = 2;
  map.lanes = {NodeId{1}, NodeId{2}};
  map.servers.resize(2);
  map.servers[0].name = "a";
  map.servers[0].lanes = {{NodeId{1}, {}, ReplicaRole::kLeader},
                          {NodeId{2}, {}, ReplicaRole::kFollower}};
  map.servers[1].name = "b";
  map.servers[1].lanes = {{NodeId{2}, {}, ReplicaRole::kLeader},
                          {NodeId{1}, {}, ReplicaRole::kJoining}};
  ClusterStatus status;
  status.map = std::make_shared<const ClusterMap>(map);
  status.members.resize(3);
  status.members[0].name = "a";
  status.members[0].silent_ms = 1500;
  status.members[1].name = "b";
  status.members[1].is_late = true;
  status.members[1].bytes = 9;
  status.members[2].kind = MemberKind::kWorker;
  status.members[2].is_late = true;
  status.moves_left = 3;
  status.lanes = {{NodeId{1}, 5, 30, 10}, {NodeId{2}, 5, 0, 0}};
  MetricPage page;
  AddCoordinatorFigures(status, page);
  const auto figures = Figures(page.Text());
  CHECK(figures.at("longtail_cluster_formed") == 1);
  CHECK(figures.at("longtail_cluster_lanes_short_of_replicas") == 1);
  CHECK(figures.at("longtail_cluster_server_late{server=\"a\"}") == 0);
  CHECK(figures.at("longtail_cluster_server_late{server=\"b\"}") == 1);
  CHECK(figures.at("longtail_cluster_server_silent_seconds{server=\"a\"}") == 1.5);
  CHECK(figures.at("longtail_cluster_server_resident_bytes{server=\"b\"}") == 9);
  CHECK(figures.at("longtail_cluster_workers") == 1);
  CHECK(figures.at("longtail_cluster_late_workers") == 1);
  CHECK(figures.at("longtail_cluster_moves_left") == 3);
  CHECK(figures.at("longtail_cluster_lane_skew_ratio") == 2);
  CHECK(figures.at("longtail_cluster_epoch") == 2);

  MetricPage empty;
  AddCoordinatorFigures(ClusterStatus{}, empty);
  CHECK(Figures(empty.Text()).at("longtail_cluster_formed") == 0);
}

TEST_CASE("rows fall into the buckets of their counts", "[pages]") {
  TableStatistics statistics;
  statistics.rows_by_count = {{1, 5}, {2, 1}, {4, 2}, {9, 7}, {99, 1}, {100, 3}, {101, 4}};
  CHECK(RowsByBucket(statistics) ==
        std::array<std::uint64_t, kFrequencyBuckets.size()>{0, 5, 3, 7, 1, 7});
  statistics.hot_keys = {{~Key{0}, 10, 1}};
  const json table = TableJson(test::ExactSpec("t", 4), statistics);
  CHECK(table["name"] == "t");
  CHECK(table["buckets"][2] == json{{"name", "2-4"}, {"rows", 3}, {"pulls", 0}});
  CHECK(table["hot_keys"][0]["key"] == "18446744073709551615");
  CHECK(table["rows_by_count"][0] == json{1, 5});
}

TEST_CASE("servers show what they do before they serve, and then what they have", "[pages]") {
  const test::ScratchDirectory scratch;
  const std::string shown = FreeAddress();
  const auto coordinator = Must(
      CoordinatorProcess::Start({.cluster = {.servers = 2, .workers = 1}, .admin = FreeAddress()}));
  CHECK(HttpGet(coordinator->admin_address(), "/readyz").code == 200);
  const auto start = [&](const std::string& name, const std::string& admin) {
    return ServerProcess::Start({.coordinator = coordinator->address(),
                                 .name = name,
                                 .lanes = 2,
                                 .admin = admin,
                                 .store = scratch.path() + "/store",
                                 .log_store = scratch.path() + "/log",
                                 .join_timeout = absl::Seconds(60)});
  };
  absl::StatusOr<std::unique_ptr<ServerProcess>> first = absl::UnknownError("not started");
  std::thread starter([&] { first = start("server-0", shown); });
  const auto waits = Until([&] { return HttpGet(shown, "/readyz"); },
                           [](const auto& answer) { return answer.body.starts_with("joins"); });
  CHECK(waits.code == 503);
  CHECK(waits.body == absl::StrCat("joins the cluster of ", coordinator->address(), "\n"));
  CHECK(HttpGet(shown, "/livez").code == 200);
  CHECK(json::parse(HttpGet(shown, "/api/v1/status").body)["places"].empty());

  const auto second = Must(start("server-1", "127.0.0.1:0"));
  starter.join();
  Must(first.status());
  CHECK((*first)->admin_address() == shown);
  CHECK(HttpGet(shown, "/readyz").body == "ready\n");

  const auto cluster = Must(
      Cluster::Remote({.coordinator = coordinator->address(), .store = scratch.path() + "/store"}));
  const TableId table = Must(cluster->CreateTable(test::ExactSpec("t", 4)));
  {
    const auto worker = Must(cluster->Connect());
    std::vector<Key> keys;
    for (Key key = 0; key < 5000; ++key) keys.push_back(key);
    const std::vector<float> gradients(keys.size() * 4, -2);
    for (int i = 0; i < 3; ++i) Must(worker->Push(table, keys, gradients));
    std::vector<float> rows(keys.size() * 4);
    Must(worker->Pull(table, keys, rows));
  }
  Must(cluster->Checkpoint("step-1").status());

  const auto figures = [&](const std::string& address) {
    return Figures(HttpGet(address, "/metrics").body);
  };
  // The census goes round in some pulses.
  const auto counted = [&] {
    auto sum = figures(shown);
    for (const auto& [line, value] : figures(second->admin_address())) sum[line] += value;
    return sum;
  };
  const auto all = Until(counted, [](const auto& sum) {
    return Sum(sum, "longtail_table_bucket_rows", "bucket=\"2-4\"") == 5000;
  });
  CHECK(Sum(all, "longtail_table_bucket_rows") == 5000);
  CHECK(Sum(all, "longtail_table_bucket_rows", "bucket=\"2-4\"") == 5000);
  CHECK(all.at("longtail_table_rows{table=\"t\"}") == 5000);
  CHECK(all.at("longtail_table_pushed_keys_total{table=\"t\"}") == 15'000);
  CHECK(all.at("longtail_table_pulled_keys_total{table=\"t\"}") == 5000);
  CHECK(all.at("longtail_table_bucket_pulled_keys_total{table=\"t\",bucket=\"2-4\"}") == 5000);
  CHECK(all.at("longtail_table_created_rows_total{table=\"t\"}") == 5000);
  CHECK(all.at("longtail_table_bytes{table=\"t\",part=\"weights\"}") == 5000 * 16);
  CHECK(Sum(all, "longtail_rows_pushed_total") == 15'000);
  CHECK(Sum(all, "longtail_rows_pulled_total") == 5000);
  CHECK(Sum(all, "longtail_snapshots_total") == 4);
  CHECK(Sum(all, "longtail_store_writes_total") > 0);
  CHECK(Sum(all, "longtail_store_written_bytes_total") > 5000);
  CHECK(Sum(all, "longtail_log_written_bytes_total") > 15'000 * 16);
  CHECK(Sum(all, "longtail_message_duration_seconds_count", "kind=\"PushRequest\"") >= 12);
  CHECK(Sum(all, "longtail_place_role", "role=\"leader\"") == 4);

  // The coordinator has heard of it, too, in some seconds.
  const auto status = Until(
      [&] { return json::parse(HttpGet(coordinator->admin_address(), "/api/v1/status").body); },
      [](const json& answer) {
        return !answer["tables"].empty() && answer["tables"][0]["rows"] == 5000 &&
               answer["tables"][0]["buckets"][2]["rows"] == 5000;
      });
  REQUIRE(status["tables"].size() == 1);
  CHECK(status["tables"][0]["rows"] == 5000);
  CHECK(status["tables"][0]["buckets"][2]["rows"] == 5000);
  CHECK(status["tables"][0]["pushes"] == 15'000);
  CHECK(status["servers"].size() == 2);
  CHECK(figures(coordinator->admin_address()).at("longtail_cluster_lanes") == 4);
  const json server = json::parse(HttpGet(shown, "/api/v1/status").body);
  CHECK(server["state"] == "serves");
  CHECK(server["places"].size() == 2);
  CHECK(server["places"][0]["log_bytes_since_base"] > 0);
  CHECK(server["places"][0]["snapshot_at_seconds"] > 1e9);
}

}  // namespace
}  // namespace longtail
