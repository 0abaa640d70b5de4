#include "cli/status_answer.h"

#include <nlohmann/json.hpp>

#include "server/cluster_fixture.h"

namespace longtail::cli {
namespace {

using nlohmann::json;

ClusterStatus Formed() {
  auto map = std::make_shared<ClusterMap>();
  map->version = 3;
  map->step_mode = StepMode::kSynchronous;
  map->worker_count = 2;
  map->lanes = {NodeId{1}, NodeId{2}, NodeId{3}};
  map->lane_of.assign(8, 0);
  map->servers.resize(2);
  map->tables = {test::ExactSpec("t\n", 4)};
  ClusterStatus status{.coordinator = "tcp://h:7000", .waits_for = {}, .map = map, .members = {}};
  status.members.push_back({.kind = MemberKind::kServer,
                            .name = "a",
                            .number = 0,
                            .silent_ms = 400,
                            .is_late = false,
                            .lanes = 2,
                            .partitions = 5,
                            .rows = 1234,
                            .bytes = 3 << 19,
                            .problem = {},
                            .rows_pulled_per_second = 23456,
                            .rows_pushed_per_second = 789});
  status.members.push_back(status.members[0]);
  status.members[1].name = "b\033[1m";
  status.members[1].number = 1;
  status.members.push_back({.kind = MemberKind::kWorker,
                            .name = "h:12",
                            .number = 1,
                            .silent_ms = 12'345,
                            .is_late = false,
                            .lanes = 0,
                            .partitions = 0,
                            .rows = 0,
                            .bytes = 0,
                            .problem = {}});
  return status;
}

TEST_CASE("a cluster's status is a table of its members", "[cli][status]") {
  CHECK(StatusText(Formed()) ==
        "cluster at tcp://h:7000: formed\n"
        "  2 servers, 3 lanes, 8 partitions; synchronous, 2 workers; map version 3, epoch 1\n"
        "\n"
        "  number  leads  follows  partitions   rows   memory  pulled/s  pushed/s  silent  server\n"
        "       0      2        0           5  1,234  1.5 MiB    23,456       789   0.4 s  a\n"
        "       1      2        0           5  1,234  1.5 MiB    23,456       789   0.4 s  b?[1m\n"
        "\n"
        "  rank  silent  worker\n"
        "     1  12.3 s  h:12\n"
        "\n"
        "  dim  table  optimizer\n"
        "    4  t?     sgd, learning_rate 1.0\n");
}

TEST_CASE("replicas and moves are told of", "[cli][status]") {
  ClusterStatus status = Formed();
  auto map = std::make_shared<ClusterMap>(*status.map);
  map->replicas = 2;
  status.map = map;
  status.moves_left = 3;
  status.members[0].follows = 7;
  const std::string text = StatusText(status);
  CHECK(text.find("  2 replicas of each lane\n  3 moves of lanes left\n") != std::string::npos);
  CHECK(text.find("       0      2        7           5") != std::string::npos);
  const json document = json::parse(StatusJson(status));
  CHECK(document["replicas"] == 2);
  CHECK(document["moves_left"] == 3);
  CHECK(document["servers"][0]["follows"] == 7);
}

TEST_CASE("a member that is late is seen at once", "[cli][status]") {
  ClusterStatus status = Formed();
  CHECK(status.is_well());
  status.members[1].is_late = true;
  status.members[1].problem = "silent";

  CHECK(!status.is_well());
  CHECK(StatusText(status).starts_with("cluster at tcp://h:7000: formed, but a member is late\n"));
  CHECK(StatusText(status).find("b?[1m   LATE silent\n") != std::string::npos);
}

TEST_CASE("who is missing is said until the cluster is formed", "[cli][status]") {
  const ClusterStatus status{.coordinator = "tcp://h:7000",
                             .waits_for = "1 of 2 servers; here: a",
                             .map = nullptr,
                             .members = {}};
  CHECK(!status.is_well());
  CHECK(StatusText(status) ==
        "cluster at tcp://h:7000: not formed, waits for 1 of 2 servers; here: a\n");
  CHECK(json::parse(StatusJson(status)) == json{{"coordinator", "tcp://h:7000"},
                                                {"formed", false},
                                                {"well", false},
                                                {"waits_for", "1 of 2 servers; here: a"},
                                                {"moves_left", 0},
                                                {"servers", json::array()},
                                                {"workers", json::array()},
                                                {"loads", json::array()},
                                                {"tables", json::array()}});
}

TEST_CASE("how much more one lane is asked for than another is seen", "[cli][status]") {
  ClusterStatus status = Formed();
  auto map = std::make_shared<ClusterMap>(*status.map);
  map->servers = {{.name = "a", .incarnation = 1, .host = "", .lanes = {{NodeId{1}, {}}}}};
  status.map = map;
  status.lanes = {{NodeId{1}, 1200, 300, 0}, {NodeId{2}, 34, 0, 0}, {NodeId{3}, 1300, 1000, 500}};
  CHECK(StatusText(status).find("  lane   rows  pulled/s  pushed/s  of mean  leader\n"
                                "     3  1,300     1,000       500     2.50\n"
                                "     1  1,200       300         0     0.50  a\n"
                                "     2     34         0         0     0.00\n") !=
        std::string::npos);
  CHECK(json::parse(StatusJson(status))["loads"][2] == json{{"lane", 3},
                                                            {"leader", ""},
                                                            {"rows", 1300},
                                                            {"rows_pulled_per_second", 1000},
                                                            {"rows_pushed_per_second", 500}});
  status.lanes.resize(1);
  CHECK(StatusText(status).find("of mean") == std::string::npos);  // Of one alone there is no skew.
}

TEST_CASE("programs get all of a cluster's status", "[cli][status]") {
  const std::string text = StatusJson(Formed());
  CHECK(text.ends_with("}\n"));
  const json document = json::parse(text);
  CHECK(document["formed"] == true);
  CHECK(document["well"] == true);
  CHECK(document["map_version"] == 3);
  CHECK(document["epoch"] == 1);
  CHECK(document["step_mode"] == "synchronous");
  CHECK(document["worker_count"] == 2);
  CHECK(document["lanes"] == 3);
  CHECK(document["partitions"] == 8);
  CHECK(document["servers"][1]["name"] == "b\033[1m");
  CHECK(document["servers"][0] == json{{"name", "a"},
                                       {"number", 0},
                                       {"lanes", 2},
                                       {"follows", 0},
                                       {"partitions", 5},
                                       {"rows", 1234},
                                       {"bytes", 3 << 19},
                                       {"rows_pulled_per_second", 23456},
                                       {"rows_pushed_per_second", 789},
                                       {"reads", 0},
                                       {"silent_seconds", 0.4},
                                       {"late", false},
                                       {"problem", ""}});
  CHECK(document["workers"] == json::array({{{"name", "h:12"},
                                             {"rank", 1},
                                             {"silent_seconds", 12.345},
                                             {"late", false},
                                             {"problem", ""}}}));
  CHECK(document["tables"][0]["name"] == "t\n");
  CHECK(document["tables"][0]["spec"]["dim"] == 4);
}

}  // namespace
}  // namespace longtail::cli
