#include "io/probe_address.h"

#include "absl/time/clock.h"
#include "io/zmq_network.h"
#include "server/cluster_fixture.h"
#include "support/plain_listener.h"

namespace longtail {
namespace {

using test::Must;

constexpr absl::Duration kTimeout = absl::Milliseconds(500);

bool Gives(const std::string& address, const std::string& words) {
  const absl::Time before = absl::Now();
  const std::string given = ProbeAddress(address, kTimeout);
  INFO(address << ": " << given);
  CHECK(absl::Now() - before < kTimeout + absl::Seconds(2));
  return given.find(words) != std::string::npos;
}

TEST_CASE("what listens at an address and is none of ours is told from what is", "[io]") {
  const test::PlainListener silent("");
  CHECK(Gives(silent.address(), "accepts connections and says nothing"));
  const test::PlainListener http("HTTP/1.1 400 Bad Request\r\n\r\n");
  CHECK(Gives(http.address(), "speaks another protocol"));
  const auto network = Must(ZmqNetwork::Create({}));
  const std::string listen[] = {"tcp://127.0.0.1:0"};
  const auto endpoint = Must(network->Join(NodeId{1}, listen));
  CHECK(Gives(endpoint->addresses()[0], "a Longtail process, or another that uses ZeroMQ"));
}

}  // namespace
}  // namespace longtail
