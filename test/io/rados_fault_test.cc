// A real Ceph that does not do as it is told: keys, pools, quotas, daemons that are away, bits that
// flip. Every call ends in time, and says what was wanted and what was wrong.
#include <rados/librados.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/clock.h"
#include "io/rados_lock.h"
#include "io/rados_meta_store.h"
#include "io/rados_operation.h"
#include "io/rados_pool.h"
#include "io/rados_store.h"
#include "io/rados_stores.h"
#include "server/cluster_fixture.h"
#include "support/ceph_node.h"
#include "support/store_place.h"

namespace longtail {
namespace {

using test::CephNode;
using test::Must;
using test::Says;
using test::StorePlace;

const std::string kLarge(std::size_t{9} << 20, 'x');

// How long a call took, beside what it says.
template <typename Call>
absl::Duration Took(Call call) {
  const absl::Time begin = absl::Now();
  call();
  return absl::Now() - begin;
}

// Writes until it is done: what was away is not there at once, and the machine may be busy.
absl::Status WriteSoon(RadosStore& store, const std::string& name, const std::string& bytes) {
  absl::Status status = absl::UnavailableError("not tried");
  for (const absl::Time until = absl::Now() + absl::Seconds(60);
       !status.ok() && absl::Now() < until;) {
    status = store.Write(name, bytes);
  }
  return status;
}

// A connection of the test's own, by which objects are changed behind the store's back.
std::unique_ptr<RadosPool> PoolOf(const StorePlace& place) {
  return Must(RadosPool::Connect(Must(ParseRadosAddress(place.address()))));
}

std::string MonitorAddress() {
  const std::string conf = test::ReadWhole(CephNode::Path("ceph.conf"));
  const std::size_t begin = conf.find("v2:") + 3;
  return conf.substr(begin, conf.find('/', begin) - begin);
}

TEST_CASE("a wrong key, an unknown user and a key that is not there are told apart",
          "[io][rados]") {
  if (StorePlace::Make("rados") == nullptr) return;
  const std::string begin = "rados://longtail/x?conf=" + CephNode::Path("ceph.conf");
  const std::string keyring = "&keyring=" + CephNode::Path("client.longtail.keyring");
  absl::Status wrong;
  absl::Status unknown;

  const absl::Duration took = Took([&] {
    wrong = RadosStore::Open(begin + "&user=longtail&keyring=" + CephNode::Path("wrong.keyring"))
                .status();
    unknown = RadosStore::Open(begin + "&user=nobody" + keyring).status();
  });
  const absl::Status absent =
      RadosStore::Open(begin + "&user=longtail&keyring=" + CephNode::Path("none")).status();
  const absl::Status no_conf = RadosStore::Open("rados://longtail?conf=/none/ceph.conf").status();

  CHECK(took < absl::Seconds(5));
  CHECK(absl::IsPermissionDenied(wrong));
  CHECK(Says(wrong, "rados://longtail/x: connecting as 'client.longtail': "));
  CHECK(Says(wrong, "with another key than that of keyring '" + CephNode::Path("wrong.keyring")));
  CHECK(absl::IsPermissionDenied(unknown));
  CHECK(Says(unknown, "connecting as 'client.nobody': the monitors know no such user, or"));
  CHECK(absl::IsInvalidArgument(absent));
  CHECK(Says(absent, "keyring '" + CephNode::Path("none") + "' cannot be read: No such file"));
  CHECK(absl::IsInvalidArgument(no_conf));
  CHECK(Says(no_conf, "configuration '/none/ceph.conf' cannot be read"));
}

TEST_CASE("a pool that is not there is named, with those that are", "[io][rados]") {
  if (StorePlace::Make("rados") == nullptr) return;

  const absl::Status status = OpenRadosStore("rados://nowhere/a" + CephNode::Options()).status();

  CHECK(absl::IsNotFound(status));
  CHECK(Says(status, "rados://nowhere/a: no pool 'nowhere': the cluster has ["));
  // Ceph's own pool may come between them.
  const std::string pools(status.message().substr(status.message().find('[')));
  CHECK(pools.find("longtail") != std::string::npos);
  CHECK(pools.find("small") != std::string::npos);
}

TEST_CASE("monitors by address, as Rook lists them, and a key file do without a ceph.conf",
          "[io][rados]") {
  const auto place = StorePlace::Make("rados");
  if (place == nullptr) return;
  Must(Must(RadosStore::Open(place->address()))->Write("a", "1"));
  const test::ScratchDirectory directory;
  const std::string ring = test::ReadWhole(CephNode::Path("client.longtail.keyring"));
  const std::size_t begin = ring.find("key = ") + 6;
  test::WriteWhole(directory / "key", ring.substr(begin, ring.find('\n', begin) - begin));
  const std::string who = "&user=client.longtail&keyfile=" + (directory / "key").string();

  for (const std::string& monitors :
       {MonitorAddress(), "a=" + MonitorAddress(), "b=127.0.0.1:1,a=" + MonitorAddress(),
        "[v2:" + MonitorAddress() + "]"}) {
    CAPTURE(monitors);
    const auto store = Must(RadosStore::Open(place->described() + "?mon=" + monitors + who));
    CHECK(Must(store->Read("a")) == "1");
  }
}

TEST_CASE("a user who may only read is told which caps are wanted", "[io][rados]") {
  const auto place = StorePlace::Make("rados");
  if (place == nullptr) return;
  Must(Must(RadosStore::Open(place->address()))->Write("a", kLarge));
  const auto reader = Must(RadosStore::Open(place->described() + CephNode::Options("reader")));

  const absl::Status small = reader->Write("a", "2");
  const absl::Status large = reader->Write("a", kLarge);
  const absl::Status removed = reader->Remove("a");

  for (const absl::Status& status : {small, large, removed}) {
    CHECK(absl::IsPermissionDenied(status));
    CHECK(Says(status,
               "user 'client.reader' may not: want its caps to be mon 'allow r', osd "
               "'allow rwx pool=longtail'"));
  }
  CHECK(Says(small, "writing 1 bytes to blob 'a'"));
  CHECK(Must(reader->Read("a")) == kLarge);
}

TEST_CASE("no monitor at the address: the error comes in time and names it", "[io][rados]") {
  if (StorePlace::Make("rados") == nullptr) return;
  absl::Status status;

  const absl::Duration took = Took([&] {
    status = RadosStore::Open("rados://longtail?mon=127.0.0.1:1&timeout=2&keyring=" +
                              CephNode::Path("client.longtail.keyring") + "&user=longtail")
                 .status();
  });

  CHECK(took < absl::Seconds(6));
  CHECK(absl::IsUnavailable(status));
  CHECK(Says(status, "no monitor of [127.0.0.1:1] answers within 2 s"));
}

TEST_CASE("a pool over its quota refuses what is written, and takes it again later",
          "[io][rados]") {
  const auto place = StorePlace::Make("rados");
  if (place == nullptr) return;
  const std::string own = place->described().substr(place->described().rfind('/'));
  const std::string address = "rados://small" + own + CephNode::Options() + "&timeout=10";
  const auto store = Must(RadosStore::Open(address));
  Must(store->Write("kept", "old"));
  REQUIRE(CephNode::Do("quota small 8000000"));
  // The monitors notice late, by the manager's statistics.
  absl::Status full;
  int written = 0;
  for (const absl::Time until = absl::Now() + absl::Seconds(30); full.ok() && absl::Now() < until;
       ++written) {
    full = store->Write("fill/" + std::to_string(written % 20), kLarge);
    absl::SleepFor(absl::Milliseconds(50));
  }

  const absl::Status kept = store->Write("kept", "a longer one");  // A shorter one is taken.
  const absl::StatusOr<std::string> old = store->Read("kept");
  const std::vector<std::string> there = Must(store->List(""));
  for (const std::string& name : there) Must(store->Remove(name));
  const std::vector<std::string> left = Must(store->List(""));
  REQUIRE(CephNode::Do("quota small 0"));
  const absl::Status again = WriteSoon(*store, "kept", "newer");

  for (const absl::Status& status : {full, kept}) {
    CHECK(absl::IsResourceExhausted(status));
    CHECK(Says(status, "pool 'small' has reached its quota"));
  }
  CHECK(Says(full, "writing 9437184 bytes to blob 'fill/"));
  CHECK(old.value() == "old");
  CHECK(left.empty());
  Must(again);
  CHECK(Must(store->Read("kept")) == "newer");
  Must(store->Remove("kept"));
}

TEST_CASE("an OSD that is killed and started again in mid-write loses nothing", "[io][rados]") {
  const auto place = StorePlace::Make("rados");
  if (place == nullptr) return;
  const auto store = Must(RadosStore::Open(place->address()));
  std::atomic<bool> stop = false;
  std::atomic<int> count = 0;
  absl::Status status;
  std::jthread writer([&] {
    for (int i = 0; !stop && status.ok(); ++i) {
      status = store->Write("blob/" + std::to_string(i % 40),
                            std::to_string(i) + (i % 3 == 0 ? kLarge : std::string()));
      if (status.ok()) count = i + 1;
    }
  });

  absl::SleepFor(absl::Milliseconds(300));
  {
    const CephNode::Away osd("osd.0");
    absl::SleepFor(absl::Milliseconds(500));
  }
  const int before = count;
  const absl::Time until = absl::Now() + absl::Seconds(30);
  while (count < before + 40 && absl::Now() < until) absl::SleepFor(absl::Milliseconds(20));
  stop = true;
  writer.join();

  Must(status);
  const int written = count;
  REQUIRE(written >= before + 40);
  for (int i = written - 40; i < written; ++i) {
    CAPTURE(i);
    const std::string bytes = Must(store->Read("blob/" + std::to_string(i % 40)));
    CHECK(bytes == std::to_string(i) + (i % 3 == 0 ? kLarge : std::string()));
  }
}

TEST_CASE("an OSD that stays away: each call ends in time and says who is silent", "[io][rados]") {
  const auto place = StorePlace::Make("rados");
  if (place == nullptr) return;
  const auto store = Must(RadosStore::Open(place->With("timeout=1")));
  Must(WriteSoon(*store, "a", "1"));
  {
    const CephNode::Away osd("osd.0");
    const std::vector<std::function<absl::Status()>> calls = {
        [&] { return store->Write("a", "2"); },    [&] { return store->Write("a", kLarge); },
        [&] { return store->Read("a").status(); }, [&] { return store->List("").status(); },
        [&] { return store->Remove("a"); },
    };
    for (const auto& call : calls) {
      absl::Status status;
      const absl::Duration took = Took([&] { status = call(); });

      CHECK(took < absl::Seconds(5));
      CHECK(absl::IsUnavailable(status));
      CHECK(Says(status, place->described() + ": "));
      CHECK(Says(status, "no answer within 1 s: the monitors answer and have it on OSD [0]"));
    }
  }

  // The same client finds the OSD again, though each of its calls is short.
  const absl::Status status = WriteSoon(*store, "a", "3");

  Must(status);
  CHECK(Must(store->Read("a")) == "3");
}

TEST_CASE("monitors that go away leave reads and writes alone, with the OSD both are told",
          "[io][rados]") {
  const auto place = StorePlace::Make("rados");
  if (place == nullptr) return;
  const auto store = Must(RadosStore::Open(place->With("timeout=2")));
  Must(WriteSoon(*store, "a", "1"));
  {
    const CephNode::Away monitor("mon.a");
    Must(store->Write("a", kLarge));
    CHECK(Must(store->Read("a")) == kLarge);
    CHECK(Must(store->List("")) == std::vector<std::string>{"a"});
    absl::Status opened;
    const absl::Duration took =
        Took([&] { opened = RadosStore::Open(place->With("timeout=2")).status(); });
    CHECK(took < absl::Seconds(6));
    CHECK(Says(opened, "no monitor of ["));
    REQUIRE(CephNode::Do("kill osd.0"));
    const absl::Status written = store->Write("a", "2");
    CHECK(Says(written, "no answer within 2 s: the monitors do not answer either"));
  }
  REQUIRE(CephNode::Do("up osd.0"));

  const absl::Status status = WriteSoon(*store, "a", "3");

  Must(status);
  CHECK(Must(store->Read("a")) == "3");
}

TEST_CASE("a bit that flips in any object of a blob is told, with the object's name",
          "[io][rados]") {
  const auto place = StorePlace::Make("rados");
  if (place == nullptr) return;
  const auto store = Must(RadosStore::Open(place->address()));
  const auto pool = PoolOf(*place);
  Must(store->Write("s/a", kLarge));
  RadosRead head;
  head.Start(*pool, "s/a", {});
  REQUIRE(head.Wait() == 0);
  const std::uint64_t id = Must(head.Header("s/a")).write_id;
  for (const std::uint32_t part : {0U, 1U, 2U}) {
    const std::string object = ObjectName("s/a", id, part);
    CAPTURE(object);
    const auto put = [&](const char* byte) {
      REQUIRE(rados_write(pool->io(), object.c_str(), byte, 1, 4321) == 0);
    };

    put("y");
    const absl::Status status = store->Read("s/a").status();
    put("x");

    CHECK(absl::IsDataLoss(status));
    CHECK(Says(status, place->described() + ": object '" + object + "'"));
    CHECK(Says(status, "damaged: the checksum of its "));
    CHECK(Must(store->Read("s/a")) == kLarge);
  }
}

TEST_CASE("an object that is cut, gone, foreign or of another blob is told by name",
          "[io][rados]") {
  const auto place = StorePlace::Make("rados");
  if (place == nullptr) return;
  const auto store = Must(RadosStore::Open(place->address()));
  const auto pool = PoolOf(*place);
  Must(store->Write("a", kLarge));
  RadosRead head;
  head.Start(*pool, "a", {});
  REQUIRE(head.Wait() == 0);
  const std::string part = ObjectName("a", Must(head.Header("a")).write_id, 2);
  const auto told = [&](const std::string& sentence) {
    const absl::Status status = store->Read("a").status();
    CHECK((absl::IsDataLoss(status) || absl::IsInvalidArgument(status)));
    return Says(status, sentence);
  };

  REQUIRE(rados_trunc(pool->io(), part.c_str(), 1000) == 0);
  CHECK(told("object '" + part + "' of blob 'a': truncated or damaged: it has 1000 bytes"));
  REQUIRE(rados_remove(pool->io(), part.c_str()) == 0);
  CHECK(told("object '" + part + "' of blob 'a': it is not there, and the head names it"));
  Must(store->Write("b", kLarge.substr(0, std::size_t{1} << 20)));
  RadosRead other;
  std::string bytes(std::size_t{1} << 20, '\0');
  other.Start(*pool, "b", bytes);
  REQUIRE(other.Wait() == 0);
  RadosWrite exchanged;
  exchanged.Replace(bytes, Must(other.Header("b")));
  exchanged.Start(*pool, part);
  REQUIRE(exchanged.Wait() == 0);
  CHECK(told("object '" + part + "' of blob 'a': its attribute names another part"));
  REQUIRE(rados_setxattr(pool->io(), "a", "longtail", "LTOBJECT", 8) == 0);
  CHECK(told("object 'a': attribute 'longtail': truncated at byte 8"));
  REQUIRE(rados_rmxattr(pool->io(), "a", "longtail") == 0);
  CHECK(told("object 'a': foreign: it has no attribute 'longtail'"));
}

TEST_CASE("a value that is damaged, or a blob in the place of one, is told", "[io][rados]") {
  const auto place = StorePlace::Make("rados");
  if (place == nullptr) return;
  const auto pool = PoolOf(*place);
  const auto values = Must(RadosMetaStore::Open(place->address()));
  Must(values->Swap("state", "12345", 0));
  CHECK(Must(Must(RadosStore::Open(place->address()))->Read("state")) == "12345");
  REQUIRE(rados_write(pool->io(), "state", "x", 1, 2) == 0);

  const absl::Status damaged = values->Read("state").status();
  Must(Must(RadosStore::Open(place->address()))->Write("state", kLarge));
  const absl::Status large = values->Read("state").status();

  CHECK(absl::IsDataLoss(damaged));
  CHECK(Says(damaged, place->described() + ": object 'state': damaged: the checksum of its 5"));
  CHECK(absl::IsInvalidArgument(large));
  CHECK(Says(large, "object 'state': a blob of 9437184 bytes: want a value, of at most 1048576"));
}

TEST_CASE("who asks for a lock waits as long as for anything else, not a part of a lease",
          "[io][rados]") {
  const auto place = StorePlace::Make("rados");
  if (place == nullptr) return;
  Must(WriteSoon(*Must(RadosStore::Open(place->address())), "a", "1"));
  REQUIRE(CephNode::Do("pause osd.0"));
  std::thread later([] {
    absl::SleepFor(absl::Seconds(3));
    CephNode::Do("resume osd.0");
  });
  const auto lock = RadosLock::Acquire(Must(ParseRadosAddress(place->With("lease=2&timeout=20"))),
                                       "coordinator", {});
  later.join();

  Must(lock.status());

  REQUIRE(CephNode::Do("pause osd.0"));
  absl::Status silent;
  const absl::Duration took = Took([&] {
    silent =
        RadosLock::Acquire(Must(ParseRadosAddress(place->With("lease=2&timeout=4"))), "other", {})
            .status();
  });
  REQUIRE(CephNode::Do("resume osd.0"));
  CHECK(absl::IsUnavailable(silent));
  CHECK(took < absl::Seconds(8));
  Must(WriteSoon(*Must(RadosStore::Open(place->address())), "a", "2"));
}

TEST_CASE("who loses a lock to somebody who breaks it is told who has it", "[io][rados]") {
  const auto place = StorePlace::Make("rados");
  if (place == nullptr) return;
  const auto pool = PoolOf(*place);
  std::atomic<bool> is_lost = false;
  std::string why;
  const auto lock = Must(RadosLock::Acquire(Must(ParseRadosAddress(place->With("lease=2"))),
                                            "coordinator", [&](const absl::Status& status) {
                                              why = std::string(status.message());
                                              is_lost = true;
                                            }));
  const char* const object = "coordinator~lock";
  std::string tag(100, '\0');
  std::string clients(1000, '\0');
  std::string cookies(1000, '\0');
  std::string addresses(1000, '\0');
  std::size_t sizes[] = {tag.size(), clients.size(), cookies.size(), addresses.size()};
  int is_exclusive = 0;
  REQUIRE(rados_list_lockers(pool->io(), object, "longtail", &is_exclusive, tag.data(), &sizes[0],
                             clients.data(), &sizes[1], cookies.data(), &sizes[2], addresses.data(),
                             &sizes[3]) == 1);

  REQUIRE(rados_break_lock(pool->io(), object, "longtail", clients.c_str(), cookies.c_str()) == 0);
  REQUIRE(rados_lock_exclusive(pool->io(), object, "longtail", "host:77/ab", "", nullptr, 0) == 0);

  for (const absl::Time until = absl::Now() + absl::Seconds(20); !is_lost && absl::Now() < until;) {
    absl::SleepFor(absl::Milliseconds(10));
  }
  REQUIRE(is_lost);
  CHECK(why.find("is in use by another coordinator, process host:77 at ") != std::string::npos);
}

TEST_CASE("a blob's objects hold its bytes and nothing else, four mebibytes each", "[io][rados]") {
  const auto place = StorePlace::Make("rados");
  if (place == nullptr) return;
  const auto store = Must(RadosStore::Open(place->address()));
  const auto pool = PoolOf(*place);
  std::string blob = kLarge;
  blob[0] = 'a';
  blob[kRadosPartBytes] = 'b';
  blob[2 * kRadosPartBytes] = 'c';
  Must(store->Write("a", blob));
  RadosRead head;
  head.Start(*pool, "a", {});
  REQUIRE(head.Wait() == 0);
  const ObjectHeader header = Must(head.Header("a"));

  CHECK(header.part_count == 3);
  CHECK(header.part_bytes == kRadosPartBytes);
  CHECK(header.blob_bytes == blob.size());
  std::string together;
  for (std::uint32_t part = 0; part < 3; ++part) {
    std::string bytes(kObjectBytesMax, '\0');
    const int size = rados_read(pool->io(), ObjectName("a", header.write_id, part).c_str(),
                                bytes.data(), bytes.size(), 0);
    REQUIRE(size > 0);
    together += bytes.substr(0, static_cast<std::size_t>(size));
  }
  CHECK(together == blob);
}

TEST_CASE("a larger blob leaves no object behind when it is replaced or removed", "[io][rados]") {
  const auto place = StorePlace::Make("rados");
  if (place == nullptr) return;
  const auto store = Must(RadosStore::Open(place->address()));
  const auto pool = PoolOf(*place);
  const auto objects = [&] {
    rados_list_ctx_t list = nullptr;
    REQUIRE(rados_nobjects_list_open(pool->io(), &list) == 0);
    int count = 0;
    const char* name = nullptr;
    while (rados_nobjects_list_next(list, &name, nullptr, nullptr) == 0) ++count;
    rados_nobjects_list_close(list);
    return count;
  };

  Must(store->Write("a", kLarge));
  CHECK(objects() == 3);
  Must(store->Write("a", kLarge + "y"));
  CHECK(objects() == 3);
  Must(store->Write("a", "small"));
  CHECK(objects() == 1);
  Must(store->Write("a", kLarge));
  Must(store->Remove("a"));
  CHECK(objects() == 0);
}

}  // namespace
}  // namespace longtail
