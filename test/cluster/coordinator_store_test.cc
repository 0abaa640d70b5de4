// A coordinator's state on each store that can keep it: a program for each (CMakeLists.txt).
#include "cluster/coordinator_store.h"

#include <catch2/catch.hpp>
#include <string>

#include "cluster/coordinator_process.h"
#include "io/open_meta_store.h"
#include "io/this_process.h"
#include "server/cluster_fixture.h"
#include "server/coordinator_core.h"
#include "support/store_place.h"

namespace longtail {
namespace {

using server::kCoordinatorStateName;
using test::Must;
using test::Says;
using test::StorePlace;

constexpr const char* kLease = "lease=2";

TEST_CASE("what a coordinator writes is what the next one finds", "[cluster][state]") {
  const auto place = StorePlace::Make(LONGTAIL_TEST_STORE);
  if (place == nullptr) return;
  auto store = Must(CoordinatorStore::Open(place->With(kLease), {}));
  CHECK(absl::IsNotFound(store->Read(kCoordinatorStateName).status()));
  CHECK(Must(store->List("")).empty());
  store.reset();
  store = Must(CoordinatorStore::Open(place->With(kLease), {}));
  CHECK(absl::IsNotFound(store->Read(kCoordinatorStateName).status()));

  Must(store->Write(kCoordinatorStateName, "first"));
  Must(store->Write(kCoordinatorStateName, "second"));
  CHECK(Must(store->Read(kCoordinatorStateName)) == "second");
  CHECK(Must(store->List("coord")) == std::vector<std::string>{kCoordinatorStateName});
  CHECK(absl::IsUnimplemented(store->Remove(kCoordinatorStateName)));
  store.reset();

  store = Must(CoordinatorStore::Open(place->With(kLease), {}));
  CHECK(Must(store->Read(kCoordinatorStateName)) == "second");
  CHECK(store->Describe() == place->described());
}

TEST_CASE("a second coordinator is refused with the first one's name", "[cluster][state]") {
  const auto place = StorePlace::Make(LONGTAIL_TEST_STORE);
  if (place == nullptr) return;
  const auto first = Must(CoordinatorStore::Open(place->With(kLease), {}));

  const absl::Status second = CoordinatorStore::Open(place->With(kLease), {}).status();

  CHECK(absl::IsFailedPrecondition(second));
  CHECK(Says(second, "is in use by another coordinator, process " + ProcessName()));
  Must(first->Write(kCoordinatorStateName, "still mine"));
}

TEST_CASE("once another has taken the state over, nothing is written any more",
          "[cluster][state]") {
  const auto place = StorePlace::Make(LONGTAIL_TEST_STORE);
  if (place == nullptr) return;
  std::string told;
  int losses = 0;
  const auto store = Must(CoordinatorStore::Open(place->address(), [&](const absl::Status& why) {
    told = std::string(why.message());
    ++losses;
  }));
  Must(store->Write(kCoordinatorStateName, "mine"));
  // As one does that has the lock, since the lease of the first ran out.
  const auto values = Must(OpenMetaStore(place->address()));
  const MetaValue found = Must(values->Read(kCoordinatorStateName));
  CHECK(found.bytes == "mine");
  Must(values->Swap(kCoordinatorStateName, "theirs", found.version));

  const absl::Status refused = store->Write(kCoordinatorStateName, "mine again");
  const absl::Status again = store->Write(kCoordinatorStateName, "mine again");

  CHECK(absl::IsFailedPrecondition(refused));
  CHECK(Says(refused, "another coordinator has taken this one's state over: value "));
  CHECK(again == refused);
  CHECK(losses == 1);
  CHECK(told == std::string(refused.message()));
  CHECK(Must(values->Read(kCoordinatorStateName)).bytes == "theirs");
}

TEST_CASE("a damaged state is refused with its place", "[cluster][state]") {
  const auto place = StorePlace::Make(LONGTAIL_TEST_STORE);
  if (place == nullptr) return;
  const auto values = Must(OpenMetaStore(place->address()));
  Must(values->Swap(kCoordinatorStateName, "LTCOORD1 and no more", 0));

  const absl::Status status =
      CoordinatorProcess::Start({.cluster = {}, .state = place->address()}).status();

  CHECK(absl::IsInvalidArgument(status));
  CHECK(Says(status, "'coordinator/state' in " + place->described() + ": "));
}

}  // namespace
}  // namespace longtail
