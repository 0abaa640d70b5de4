// Addresses in etcd, and members that do not answer.
#include <catch2/catch.hpp>
#include <string>

#include "absl/time/clock.h"
#include "io/etcd_address.h"
#include "io/etcd_gateway.h"
#include "io/etcd_lock.h"
#include "io/etcd_meta_store.h"
#include "io/etcd_stores.h"
#include "io/this_process.h"
#include "server/cluster_fixture.h"
#include "support/free_port.h"
#include "support/plain_listener.h"
#include "support/store_place.h"

namespace longtail {
namespace {

using test::Must;
using test::Says;
using test::StorePlace;

TEST_CASE("an address in etcd has members, a prefix and options", "[io][etcd]") {
  const EtcdAddress address =
      Must(ParseEtcdAddress("etcd://h1:2379,[::1]:2379/jobs/a?timeout=3&lease=4"));

  CHECK(address.endpoints == std::vector<std::string>{"h1:2379", "[::1]:2379"});
  CHECK(address.prefix == "jobs/a");
  CHECK(address.timeout == absl::Seconds(3));
  CHECK(address.lease == absl::Seconds(4));
  CHECK(address.place() == "etcd://h1:2379,[::1]:2379/jobs/a");
}

TEST_CASE("an address in etcd that is wrong is refused by name", "[io][etcd]") {
  const auto refused = [](const std::string& address, const std::string& why) {
    const absl::Status status = ParseEtcdAddress(address).status();
    INFO(status.ToString());
    return absl::IsInvalidArgument(status) && Says(status, "store '" + address + "': " + why);
  };

  CHECK(refused("/data", "want etcd://HOST:PORT"));
  CHECK(refused("etcd://h:1", "names no prefix"));
  CHECK(refused("etcd://h/a", "member 'h': want etcd://HOST:PORT"));
  CHECK(refused("etcd://h:1,:2/a", "member ':2': want"));
  CHECK(refused("etcd://h:1,/a", "member '': want"));
  CHECK(refused("etcd://h:/a", "member 'h:': want"));
  CHECK(refused("etcd://h:1/a?user=x", "option 'user': there are timeout, lease"));
  CHECK(refused("etcd://h:1/a?lease=1", "lease '1': want 2..3600 seconds"));
}

TEST_CASE("where nobody listens, or somebody else does, the error comes in time", "[io][etcd]") {
  const std::string nobody = "127.0.0.1:" + std::to_string(test::FreePort());
  const test::PlainListener silent("");
  const test::PlainListener other("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
  const auto told = [](const std::string& member, const std::string& sentence) {
    const absl::Time begin = absl::Now();
    EtcdGateway gateway(Must(ParseEtcdAddress("etcd://" + member + "/a?timeout=1")));
    const absl::Status status = gateway.Get("a/b").status();
    CHECK(absl::Now() - begin < absl::Seconds(4));
    CHECK(absl::IsUnavailable(status));
    return Says(status, sentence);
  };

  CHECK(told(nobody, "no member of etcd answers within 1s: etcd://" + nobody + "/a: " + nobody));
  CHECK(told(silent.address().substr(6), "no member of etcd answers within 1s"));
  CHECK(told(other.address().substr(6), "the answer is no JSON object: want etcd's gateway"));
}

TEST_CASE("a member that is away costs nothing where another answers", "[io][etcd]") {
  const auto place = StorePlace::Make("etcd");
  if (place == nullptr) return;
  const std::string nobody = "127.0.0.1:" + std::to_string(test::FreePort());
  const auto store = Must(OpenEtcdMetaStore("etcd://" + nobody + "," + place->address().substr(7)));

  const std::uint64_t version = Must(store->Swap("state", "1", 0));

  CHECK(Must(store->Read("state")).version == version);
  CHECK(Must(store->Read("state")).bytes == "1");
}

TEST_CASE("a key that is no value of ours is told", "[io][etcd]") {
  const auto place = StorePlace::Make("etcd");
  if (place == nullptr) return;
  EtcdGateway gateway(Must(ParseEtcdAddress(place->address())));
  const auto store = Must(EtcdMetaStore::Open(place->address()));
  const std::string key = gateway.address().prefix + "/state";
  CHECK(Must(gateway.Replace({.key = key, .bytes = "foreign", .expected = 0, .lease = 0})) != 0);

  const absl::Status status = store->Read("state").status();

  CHECK(absl::IsDataLoss(status));
  CHECK(Says(status, place->described() + ": key '" + key + "': 7 bytes: want at least 8"));
}

TEST_CASE("a lease that ends takes the lock's key with it", "[io][etcd]") {
  const auto place = StorePlace::Make("etcd");
  if (place == nullptr) return;
  const EtcdAddress address = Must(ParseEtcdAddress(place->address()));
  EtcdGateway gateway(address);
  const std::string key = address.prefix + "/coordinator~lock";
  auto lock = Must(EtcdLock::Acquire(address, "coordinator", {}));
  CHECK(Must(gateway.Get(key)).bytes.starts_with(ProcessName() + "/"));

  lock.reset();

  CHECK(Must(gateway.Get(key)).mod_revision == 0);
  CHECK(absl::IsNotFound(gateway.KeepLease(12345)));
}

TEST_CASE("an etcd that is killed and started again has what it promised", "[io][etcd]") {
  const auto place = StorePlace::Make("etcd");
  if (place == nullptr) return;
  const auto store = Must(OpenEtcdMetaStore(place->With("timeout=20")));
  const std::uint64_t version = Must(store->Swap("state", "1", 0));

  REQUIRE(test::EtcdNode::Do("kill"));
  REQUIRE(test::EtcdNode::Do("start"));

  CHECK(Must(store->Read("state")).bytes == "1");
  Must(store->Swap("state", "2", version));
  CHECK(Must(store->Read("state")).bytes == "2");
}

}  // namespace
}  // namespace longtail
