// Addresses in Ceph.
#include "io/rados_address.h"

#include <catch2/catch.hpp>
#include <string>

#include "server/cluster_fixture.h"

namespace longtail {
namespace {

using test::Must;
using test::Says;

TEST_CASE("a pool alone has the defaults of its options", "[io][rados]") {
  const RadosAddress address = Must(ParseRadosAddress("rados://pool"));

  CHECK(address.pool == "pool");
  CHECK(address.name_space.empty());
  CHECK(address.conf.empty());
  CHECK(address.monitors.empty());
  CHECK(address.user == "admin");
  CHECK(address.timeout == absl::Seconds(30));
  CHECK(address.lease == absl::Seconds(15));
  CHECK(address.place() == "rados://pool");
}

TEST_CASE("a namespace may have parts, a user 'client.' in front, monitors names", "[io][rados]") {
  const RadosAddress address = Must(
      ParseRadosAddress("rados://pool/jobs/a?conf=/c&user=client.ctr&keyring=/k&timeout=5&lease=9"
                        "&mon=a=10.0.0.1:6789,b=10.0.0.2:3300,%5Bv2:10.0.0.3:3300%5D"));

  CHECK(address.pool == "pool");
  CHECK(address.name_space == "jobs/a");
  CHECK(address.conf == "/c");
  CHECK(address.user == "ctr");
  CHECK(address.keyring == "/k");
  CHECK(address.monitors == "10.0.0.1:6789,10.0.0.2:3300,[v2:10.0.0.3:3300]");
  CHECK(address.timeout == absl::Seconds(5));
  CHECK(address.lease == absl::Seconds(9));
  CHECK(address.place() == "rados://pool/jobs/a");
  CHECK(Must(ParseRadosAddress("rados://pool?keyfile=/k")).key_file == "/k");
}

TEST_CASE("an address that is wrong is refused by name", "[io][rados]") {
  const auto refused = [](const std::string& address, const std::string& why) {
    const absl::Status status = ParseRadosAddress(address).status();
    INFO(status.ToString());
    return absl::IsInvalidArgument(status) && Says(status, "store '" + address + "': " + why);
  };

  CHECK(refused("/data", "want rados://POOL[/NAMESPACE]"));
  CHECK(refused("rados:///a", "names no pool"));
  CHECK(refused("rados://p?key=x",
                "option 'key': there are conf, mon, user, keyring, keyfile, timeout, lease"));
  CHECK(refused("rados://p?user=", "option 'user' is empty"));
  CHECK(refused("rados://p?keyring=a&keyfile=b", "has a keyring and a keyfile"));
  CHECK(refused("rados://p?timeout=0", "timeout '0': want 1..3600 seconds"));
  CHECK(refused("rados://p?lease=1", "lease '1': want 2..3600 seconds"));
}

}  // namespace
}  // namespace longtail
