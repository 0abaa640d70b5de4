// Which way a process takes to a lane.
#include "cluster/lane_routes.h"

#include <catch2/catch.hpp>
#include <fstream>
#include <string>

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

}  // namespace
}  // namespace longtail
