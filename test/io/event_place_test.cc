// Whose connection an event of a socket is about.
#include "io/event_place.h"

#include <catch2/catch.hpp>

namespace longtail {
namespace {

TEST_CASE("an address is the same with IPv6 around it", "[io][zmq]") {
  CHECK(PlainPlace("tcp://[::ffff:10.0.0.1]:7000") == "tcp://10.0.0.1:7000");
  CHECK(PlainPlace("tcp://10.0.0.1:7000") == "tcp://10.0.0.1:7000");
  CHECK(PlainPlace("tcp://[fd00::1]:7000") == "tcp://[fd00::1]:7000");
  CHECK(PlainPlace("tcp://[::ffff:") == "tcp://[::ffff:");
  CHECK(PlainPlace("ipc:///tmp/a") == "ipc:///tmp/a");
}

TEST_CASE("an address may be that of a name with the same port", "[io][zmq]") {
  CHECK(MayBeOf("tcp://10.0.0.1:7000", "tcp://coordinator:7000"));
  CHECK_FALSE(MayBeOf("tcp://10.0.0.1:7001", "tcp://coordinator:7000"));
  CHECK_FALSE(MayBeOf("tcp://10.0.0.1:7000", "tcp://10.0.0.2:7000"));
  CHECK_FALSE(MayBeOf("tcp://10.0.0.1:7000", "tcp://[fd00::1]:7000"));
  CHECK_FALSE(MayBeOf("ipc:///tmp/a", "ipc:///tmp/b"));
  CHECK_FALSE(MayBeOf("", "tcp://coordinator:7000"));
  CHECK(PortOf("tcp://") == "");
}

}  // namespace
}  // namespace longtail
