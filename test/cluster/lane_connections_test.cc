// Endpoints follow lanes to where the newest map says they are.
#include "cluster/lane_connections.h"

#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/clock.h"
#include "server/cluster_fixture.h"

namespace longtail {
namespace {

using test::Must;

// What comes within the time, at the least one message.
std::vector<Envelope> Await(Transport& transport, absl::Duration limit) {
  std::vector<Envelope> events;
  const absl::Time deadline = absl::Now() + limit;
  while (events.empty() && absl::Now() < deadline) transport.Receive(deadline, events);
  return events;
}

TEST_CASE("a lane that moved is spoken to where it is, and its askers hear of it", "[cluster]") {
  const auto network = Must(ZmqNetwork::Create({}));
  const std::vector<std::string> any = {"tcp://127.0.0.1:0"};
  const auto first = Must(network->Join(NodeId{1}, any));
  const auto second = Must(network->Join(NodeId{1}, any));
  ClusterMap map;
  map.version = 1;
  map.lanes = {NodeId{1}};
  map.servers = {
      {.name = "s", .incarnation = 1, .host = "", .lanes = {{NodeId{1}, {first->addresses()[0]}}}}};
  LaneConnections connections(*network, "here");
  const auto asker = Must(connections.Join(map));
  asker->Send({NodeId{0}, NodeId{1}, MapRequest{7}});
  CHECK(Await(*first, absl::Seconds(10)).size() == 1);

  ClusterMap newer = map;
  newer.version = 2;  // With another table, perhaps.
  Must(connections.Follow(std::make_shared<const ClusterMap>(newer)));
  CHECK(Await(*asker, absl::Milliseconds(50)).empty());

  newer.version = 3;
  newer.servers[0].incarnation = 2;
  newer.servers[0].lanes[0].addresses = {second->addresses()[0]};
  Must(connections.Follow(std::make_shared<const ClusterMap>(newer)));

  const auto news = Await(*asker, absl::Seconds(10));
  REQUIRE(news.size() == 1);
  CHECK(news[0].source == kCoordinatorNode);
  CHECK(std::get<MapReply>(news[0].body).map->version == 3);
  asker->Send({NodeId{0}, NodeId{1}, MapRequest{8}});
  const auto asked = Await(*second, absl::Seconds(10));
  REQUIRE(asked.size() == 1);
  CHECK(std::get<MapRequest>(asked[0].body).request == 8);
  // An older map that comes late changes nothing.
  Must(connections.Follow(std::make_shared<const ClusterMap>(newer)));
  CHECK(Await(*asker, absl::Milliseconds(50)).empty());
}

}  // namespace
}  // namespace longtail
