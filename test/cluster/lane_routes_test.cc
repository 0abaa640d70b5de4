// Which way a process takes to a lane.
#include "cluster/lane_routes.h"

#include <catch2/catch.hpp>
#include <fstream>
#include <string>

#include "protocol/lane_leader.h"
#include "server/scratch_directory.h"

namespace longtail {
namespace {

TEST_CASE("processes of one host meet at a socket file, others by address", "[cluster][routes]") {
  const test::ScratchDirectory scratch;
  const std::string file = scratch.path() + "/lane.sock";
  const ServerEntry server{.name = "s",
                           .incarnation = 1,
                           .host = "here",
                           .lanes = {{NodeId{3}, {"tcp://10.0.0.1:7", "ipc://" + file}}}};
  CHECK(RouteTo(server, server.lanes[0], "here") == "tcp://10.0.0.1:7");  // No such file.
  std::ofstream(file) << "";
  CHECK(RouteTo(server, server.lanes[0], "here") == "ipc://" + file);
  CHECK(RouteTo(server, server.lanes[0], "there") == "tcp://10.0.0.1:7");

  ClusterMap map;
  map.servers = {server};
  CHECK(DescribeLane(map, NodeId{3}) == "server 's' (lane 3 at tcp://10.0.0.1:7)");
  CHECK(DescribeLane(map, NodeId{4}) == "lane 4");
}

TEST_CASE("readers spread over the servers that read, and ask leaders if there are none",
          "[cluster][routes]") {
  const auto reader = [](const char* name) {
    return ServerEntry{.name = name,
                       .incarnation = 1,
                       .host = "",
                       .lanes = {{NodeId{3}, {}, ReplicaRole::kReader}}};
  };
  ClusterMap before;
  before.lanes = {NodeId{3}};
  before.servers = {{.name = "s", .incarnation = 1, .host = "", .lanes = {{NodeId{3}, {}}}}};
  ClusterMap map = before;
  CHECK(FindAnswerer(map, NodeId{3}, 7)->server->name == "s");
  map.servers.push_back(reader("a"));
  map.servers.push_back(reader("b"));
  CHECK(FindAnswerer(map, NodeId{3}, std::nullopt)->server->name == "s");
  CHECK(FindAnswerer(map, NodeId{3}, 0)->server->name == "a");
  CHECK(FindAnswerer(map, NodeId{3}, 1)->server->name == "b");
  CHECK(FindAnswerer(map, NodeId{3}, 2)->server->name == "a");
  CHECK(DescribeLane(map, NodeId{3}, 1) == "server 'b' (lane 3)");
  CHECK_FALSE(HasNewAnswerer(before, map));
  CHECK(HasNewAnswerer(before, map, 0));
}

}  // namespace
}  // namespace longtail
