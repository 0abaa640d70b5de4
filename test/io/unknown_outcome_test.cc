// A swap that nobody answers, and that is done all the same when its server goes on.
#include <catch2/catch.hpp>
#include <memory>
#include <string>

#include "absl/time/clock.h"
#include "io/meta_store.h"
#include "io/open_meta_store.h"
#include "server/cluster_fixture.h"
#include "support/store_place.h"

namespace longtail {
namespace {

using test::Must;
using test::Says;
using test::StorePlace;

// A server that stands still from construction to destruction: requests reach it and wait.
class Paused {
 public:
  Paused() { REQUIRE(Do("pause")); }
  ~Paused() { CHECK(Do("resume")); }
  Paused(const Paused&) = delete;
  Paused& operator=(const Paused&) = delete;

 private:
  static bool Do(const std::string& command) {
    return std::string(LONGTAIL_TEST_STORE) == "rados" ? test::CephNode::Do(command + " osd.0")
                                                       : test::EtcdNode::Do(command);
  }
};

// What is there once the server has gone on. An OSD does what was sent to it; etcd may see that
// nobody waits for it any more.
MetaValue AfterPause(MetaStore& store) {
  const bool is_rados = std::string(LONGTAIL_TEST_STORE) == "rados";
  MetaValue value;
  for (const absl::Time until = absl::Now() + absl::Seconds(is_rados ? 30 : 1);
       value.bytes != "2" && absl::Now() < until;) {
    if (const absl::StatusOr<MetaValue> found = store.Read("state"); found.ok()) value = *found;
  }
  CHECK((value.bytes == "2" || !is_rados));
  return value;
}

TEST_CASE("who swapped and was not answered goes on, whether it was done or not",
          "[io][meta_store]") {
  const auto place = StorePlace::Make(LONGTAIL_TEST_STORE);
  if (place == nullptr) return;
  const auto store = Must(OpenMetaStore(place->With("timeout=1")));
  const auto other = Must(OpenMetaStore(place->address()));
  const std::uint64_t first = Must(other->Swap("state", "1", 0));
  CHECK(Must(store->Read("state")).version == first);
  absl::Status unknown;
  {
    const Paused server;
    unknown = store->Swap("state", "2", first).status();
  }
  CHECK(absl::IsUnavailable(unknown));
  AfterPause(*other);

  const std::uint64_t third = Must(store->Swap("state", "3", first));

  CHECK(Must(other->Read("state")).version == third);
  CHECK(Must(other->Read("state")).bytes == "3");
}

TEST_CASE("who swapped and was not answered is refused once another has swapped",
          "[io][meta_store]") {
  const auto place = StorePlace::Make(LONGTAIL_TEST_STORE);
  if (place == nullptr) return;
  const auto store = Must(OpenMetaStore(place->With("timeout=1")));
  const auto other = Must(OpenMetaStore(place->address()));
  const std::uint64_t first = Must(other->Swap("state", "1", 0));
  {
    const Paused server;
    CHECK(absl::IsUnavailable(store->Swap("state", "2", first).status()));
  }
  const MetaValue found = AfterPause(*other);
  Must(other->Swap("state", "2", found.version));  // The same bytes, and yet another's.

  const absl::Status refused = store->Swap("state", "3", first).status();

  CHECK(absl::IsAborted(refused));
  CHECK(Must(other->Read("state")).bytes == "2");
}

}  // namespace
}  // namespace longtail
