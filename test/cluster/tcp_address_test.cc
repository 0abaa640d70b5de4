#include "cluster/tcp_address.h"

#include "io/this_process.h"
#include "server/cluster_fixture.h"

namespace longtail {
namespace {

using test::Must;
using test::Says;

TEST_CASE("an address has a host and a port", "[cluster]") {
  CHECK(Must(ParseTcpAddress("tcp://server-1.example:7000")).host == "server-1.example");
  CHECK(Must(ParseTcpAddress("tcp://server-1.example:7000")).port == 7000);
  CHECK(Must(ParseTcpAddress("tcp://[::1]:0")).host == "[::1]");
  for (const char* wrong : {"", "127.0.0.1:7000", "tcp://127.0.0.1", "tcp://:7000",
                            "tcp://127.0.0.1:65536", "tcp://127.0.0.1:x", "ipc://a:1"}) {
    CAPTURE(wrong);
    CHECK(Says(ParseTcpAddress(wrong).status(),
               "address '" + std::string(wrong) + "': want tcp://HOST:PORT, port 0..65535"));
  }
}

TEST_CASE("who listens on all interfaces is reached by the machine's name", "[cluster]") {
  CHECK(ReachableHost("10.0.0.7") == "10.0.0.7");
  CHECK(ReachableHost("[::ffff:10.0.0.7]") == "10.0.0.7");
  CHECK(ReachableHost("[fd00::7]") == "[fd00::7]");
  CHECK(ReachableHost("*") == HostName());
  CHECK(ReachableHost("0.0.0.0") == HostName());
  CHECK(ReachableHost("[::]") == HostName());
}

}  // namespace
}  // namespace longtail
