// Names and addresses as the system has them.
#include "io/host_address.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "io/this_process.h"
#include "server/cluster_fixture.h"

namespace longtail {
namespace {

TEST_CASE("a host's addresses are found, each once", "[io][host_address]") {
  CHECK(test::Must(ResolveHost("127.0.0.1")) == std::vector<std::string>{"127.0.0.1"});
  CHECK(test::Must(ResolveHost("[::1]")) == std::vector<std::string>{"::1"});
  const auto local = test::Must(ResolveHost("localhost"));
  CHECK(std::ranges::any_of(local,
                            [](const std::string& a) { return a == "127.0.0.1" || a == "::1"; }));
}

TEST_CASE("a name that nobody knows is named", "[io][host_address]") {
  const absl::Status status = ResolveHost("no-such-host.invalid").status();
  CHECK(absl::IsNotFound(status));
  CHECK(test::Says(status, "the name 'no-such-host.invalid' cannot be resolved: "));
}

TEST_CASE("a machine has its loopback address", "[io][host_address]") {
  const std::vector<std::string> own = OwnAddresses();
  CHECK(std::ranges::count(own, "127.0.0.1") == 1);
}

}  // namespace
}  // namespace longtail
