// Blobs that grow in a real Ceph which does not answer, or has no room: what was acknowledged is
// there, what was tried again is there once, and nothing is left behind.
#include <rados/librados.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/clock.h"
#include "io/rados_operation.h"
#include "io/rados_store.h"
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

// As the writer of a log does.
absl::Status ExtendSoon(BlobStore& store, const std::string& name, std::uint64_t from,
                        const std::string& bytes) {
  absl::Status status = absl::UnavailableError("not tried");
  for (const absl::Time until = absl::Now() + absl::Seconds(60);
       !status.ok() && absl::Now() < until;) {
    status = store.Extend(name, from, bytes);
  }
  return status;
}

std::vector<std::string> ObjectsOf(const StorePlace& place) {
  const auto pool = Must(RadosPool::Connect(Must(ParseRadosAddress(place.address()))));
  rados_list_ctx_t list = nullptr;
  REQUIRE(rados_nobjects_list_open(pool->io(), &list) == 0);
  std::vector<std::string> objects;
  const char* name = nullptr;
  while (rados_nobjects_list_next(list, &name, nullptr, nullptr) == 0) objects.emplace_back(name);
  rados_nobjects_list_close(list);
  return objects;
}

// An OSD that stands still from construction to destruction: what is sent to it waits.
class Paused {
 public:
  Paused() { REQUIRE(CephNode::Do("pause osd.0")); }
  ~Paused() { CHECK(CephNode::Do("resume osd.0")); }
  Paused(const Paused&) = delete;
  Paused& operator=(const Paused&) = delete;
};

TEST_CASE("appends that nobody answered are done late: what is tried again is there once",
          "[io][rados]") {
  const auto place = StorePlace::Make("rados");
  if (place == nullptr) return;
  const bool is_large = GENERATE(false, true);
  const auto store = Must(RadosStore::Open(place->With("timeout=1")));
  Must(ExtendSoon(*store, "log/a", 0, "abc"));
  const std::string late = is_large ? kLarge + "late" : "late";
  absl::Status append;
  absl::Status begin;
  {
    const Paused osd;
    append = store->Extend("log/a", 3, late);
    begin = store->Extend("log/b", 0, late);
  }
  CHECK(absl::IsUnavailable(append));
  CHECK(Says(append, "no answer within 1 s"));
  CHECK(absl::IsUnavailable(begin));

  // Something shorter, and at once something more behind it.
  Must(ExtendSoon(*store, "log/a", 3, "d"));
  Must(ExtendSoon(*store, "log/a", 4, "ef"));
  Must(ExtendSoon(*store, "log/b", 0, "g"));
  Must(ExtendSoon(*store, "log/b", 1, "hi"));
  absl::SleepFor(absl::Seconds(1));

  CHECK(Must(store->Read("log/a")) == "abcdef");
  CHECK(Must(store->Read("log/b")) == "ghi");
  const auto other = Must(RadosStore::Open(place->address()));
  Must(other->Extend("log/a", 6, late));
  CHECK((Must(other->Read("log/a")) == "abcdef" + late));
  for (const char* name : {"log/a", "log/b"}) Must(other->Remove(name));
  Must(other->RemoveUnfinished(""));
  CHECK(ObjectsOf(*place).empty());
}

TEST_CASE("an OSD that is killed and started again while blobs grow loses nothing", "[io][rados]") {
  const auto place = StorePlace::Make("rados");
  if (place == nullptr) return;
  const auto store = Must(RadosStore::Open(place->With("timeout=1")));
  std::atomic<bool> stop = false;
  std::atomic<int> count = 0;
  std::atomic<int> failures = 0;
  std::string want;
  std::jthread writer([&] {
    for (int i = 0; !stop; ++i) {
      const std::string bytes =
          std::to_string(i) + "," + (i % 9 == 0 ? kLarge : std::string(70'000, 'y'));
      while (!stop && !store->Extend("log", want.size(), bytes).ok()) ++failures;
      if (stop) return;
      want += bytes;
      if (want.size() > (std::size_t{60} << 20)) want.resize(want.size() / 3);  // It is cut, too.
      ++count;
    }
  });
  for (int kill = 0; kill < 2; ++kill) {
    absl::SleepFor(absl::Milliseconds(300));
    const CephNode::Away osd("osd.0");
    absl::SleepFor(absl::Milliseconds(kill * 1500));
  }
  const int before = count;
  const absl::Time until = absl::Now() + absl::Seconds(30);
  while (count < before + 30 && absl::Now() < until) absl::SleepFor(absl::Milliseconds(20));
  stop = true;
  writer.join();

  CHECK(count >= before + 30);
  CHECK(failures > 0);
  const std::string bytes = Must(store->Read("log"));
  REQUIRE(bytes.size() >= want.size());  // The last one may have been tried.
  CHECK((bytes.substr(0, want.size()) == want));
}

TEST_CASE("a pool without room refuses what is appended, as often as it is tried, and keeps none",
          "[io][rados]") {
  const auto place = StorePlace::Make("rados");
  if (place == nullptr) return;
  const std::string own = place->described().substr(place->described().rfind('/'));
  const auto store =
      Must(RadosStore::Open("rados://small" + own + CephNode::Options() + "&timeout=10"));
  Must(store->Extend("log/a", 0, "abc"));
  REQUIRE(CephNode::Do("quota small 8000000"));
  absl::Status full;
  std::uint64_t end = 3;
  for (const absl::Time until = absl::Now() + absl::Seconds(30); full.ok() && absl::Now() < until;
       end += kLarge.size()) {
    if (end > (std::uint64_t{80} << 20)) end = 3;
    full = store->Extend("log/a", end, kLarge);
    absl::SleepFor(absl::Milliseconds(50));
  }
  end -= kLarge.size();
  for (int i = 0; i < 5; ++i) {
    CHECK(absl::IsResourceExhausted(store->Extend("log/a", end, kLarge)));
    CHECK(absl::IsResourceExhausted(store->Extend("log/b", 0, kLarge)));
  }
  const absl::StatusOr<std::string> kept = store->Read("log/a");
  // What makes room works.
  CHECK(store->Extend("log/a", 3, "").ok());
  REQUIRE(CephNode::Do("quota small 0"));
  const absl::Status again = ExtendSoon(*store, "log/b", 0, kLarge);

  CHECK(absl::IsResourceExhausted(full));
  CHECK(Says(full, "pool 'small' has reached its quota"));
  CHECK((kept.ok() && kept->size() >= end));
  Must(again);
  CHECK((Must(store->Read("log/b")) == kLarge));
  CHECK(Must(store->Read("log/a")) == "abc");
  for (const char* name : {"log/a", "log/b"}) Must(store->Remove(name));
}

TEST_CASE("a blob's objects grow by what is appended, and hold its bytes and nothing else",
          "[io][rados]") {
  const auto place = StorePlace::Make("rados");
  if (place == nullptr) return;
  const auto store = Must(RadosStore::Open(place->address()));
  const auto pool = Must(RadosPool::Connect(Must(ParseRadosAddress(place->address()))));
  std::string want;
  for (const std::size_t size : {std::size_t{10}, kLarge.size(), std::size_t{100}}) {
    const std::string bytes = kLarge.substr(0, size - 1) + "e";
    Must(store->Extend("a", want.size(), bytes));
    want += bytes;
  }
  CHECK(ObjectsOf(*place).size() == 3);
  RadosRead head;
  head.Start(*pool, "a", {});
  REQUIRE(head.Wait() == 0);
  const ObjectHeader header = Must(head.Header("a"));
  CHECK(header.grows());
  CHECK(header.part_bytes == kRadosPartBytes);
  CHECK(head.object_bytes() == kRadosPartBytes);
  const std::uint64_t version = head.version();
  std::string together;
  for (std::uint32_t part = 0; part < 3; ++part) {
    std::string bytes(kObjectBytesMax, '\0');
    const int size = rados_read(pool->io(), ObjectName("a", header.write_id, part).c_str(),
                                bytes.data(), bytes.size(), 0);
    REQUIRE(size > 0);
    together += bytes.substr(0, static_cast<std::size_t>(size));
  }
  CHECK((together == want));
  // What is there already is not written again.
  Must(store->Extend("a", want.size(), "more"));
  RadosRead after;
  after.Start(*pool, "a", {});
  REQUIRE(after.Wait() == 0);
  CHECK(after.version() == version);
  Must(store->Remove("a"));
  CHECK(ObjectsOf(*place).empty());
}

TEST_CASE("a blob that grew and is damaged is told by name, and is not extended", "[io][rados]") {
  const auto place = StorePlace::Make("rados");
  if (place == nullptr) return;
  const auto store = Must(RadosStore::Open(place->address()));
  const auto pool = Must(RadosPool::Connect(Must(ParseRadosAddress(place->address()))));
  Must(store->Extend("a", 0, "abcdef"));
  REQUIRE(rados_trunc(pool->io(), "a", 4) == 0);
  const absl::Status cut = store->Extend("a", 6, "gh");
  CHECK(absl::IsDataLoss(cut));
  CHECK(Says(cut, place->described() + ": object 'a' has 4 bytes: want at least 6, which were"));
  REQUIRE(rados_remove(pool->io(), "a") == 0);
  CHECK(absl::IsDataLoss(store->Extend("a", 6, "gh")));
  Must(store->Extend("b", 0, "abc"));
  REQUIRE(rados_setxattr(pool->io(), "b", "longtail", "LTOBJECT", 8) == 0);
  CHECK(Says(store->Read("b").status(), "object 'b': attribute 'longtail': truncated at byte 8"));
}

}  // namespace
}  // namespace longtail
