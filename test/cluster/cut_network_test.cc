// The network that other tests cut is cut as they say.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <string>

#include "io/probe_address.h"
#include "io/zmq_network.h"
#include "server/cluster_fixture.h"
#include "support/cut_network.h"

namespace longtail {
namespace {

using test::CutNetwork;
using test::Must;

// A socket for datagrams on a host.
class Datagrams {
 public:
  Datagrams(const CutNetwork& network, const std::string& host) {
    const CutNetwork::On on(network, host);
    fd_ = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    at_.sin_family = AF_INET;
    at_.sin_port = htons(7000);
    inet_pton(AF_INET, network.AddressOf(host).c_str(), &at_.sin_addr);
    REQUIRE(bind(fd_, reinterpret_cast<const sockaddr*>(&at_), sizeof(at_)) == 0);
  }
  ~Datagrams() { close(fd_); }
  Datagrams(const Datagrams&) = delete;
  Datagrams& operator=(const Datagrams&) = delete;

  /// Whether one that is sent to `other` comes there.
  bool Reaches(const Datagrams& other) const {
    char byte = 1;
    sendto(fd_, &byte, 1, 0, reinterpret_cast<const sockaddr*>(&other.at_), sizeof(at_));
    pollfd waiting{.fd = other.fd_, .events = POLLIN, .revents = 0};
    return poll(&waiting, 1, 200) == 1 && recv(other.fd_, &byte, 1, 0) == 1;
  }

 private:
  int fd_ = -1;
  sockaddr_in at_{};
};

TEST_CASE("links of a network of namespaces are cut one way, both ways, and by resets",
          "[support][links]") {
  const auto network = CutNetwork::Make({"a", "b", "c"});
  if (network == nullptr) return;
  const Datagrams a(*network, "a");
  const Datagrams b(*network, "b");
  const Datagrams c(*network, "c");
  REQUIRE(a.Reaches(b));
  REQUIRE(b.Reaches(a));

  network->CutOneWay("a", "b");
  CHECK(!a.Reaches(b));
  CHECK(b.Reaches(a));
  network->CutBothWays("a", "b");
  CHECK(!a.Reaches(b));
  CHECK(!b.Reaches(a));
  CHECK(a.Reaches(c));
  CHECK(c.Reaches(b));

  const CutNetwork::On on(*network, "a");
  const auto sockets = Must(ZmqNetwork::Create({}));
  const std::string listen[] = {"tcp://" + network->AddressOf("a") + ":0"};
  const auto endpoint = Must(sockets->Join(NodeId{1}, listen));
  const std::string address = endpoint->addresses()[0];
  const auto from_b = [&] {
    const CutNetwork::On there(*network, "b");
    return ProbeAddress(address, absl::Milliseconds(300));
  };
  CHECK(from_b().find("no answer to a connection") != std::string::npos);
  network->CutBothWays("a", "b", CutNetwork::Cut::kReset);
  CHECK(from_b().find("connection refused") != std::string::npos);
  network->Heal();
  CHECK(from_b().find("uses ZeroMQ, accepts connections there") != std::string::npos);
  CHECK(a.Reaches(b));
}

}  // namespace
}  // namespace longtail
