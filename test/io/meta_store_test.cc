// What every meta store promises, on each of them: a program for each (CMakeLists.txt).
#include "io/meta_store.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "io/open_meta_store.h"
#include "server/cluster_fixture.h"
#include "support/store_place.h"

namespace longtail {
namespace {

using test::Must;
using test::Says;
using test::StorePlace;

TEST_CASE("a value is what was swapped in, with a version that changes", "[io][meta_store]") {
  const auto place = StorePlace::Make(LONGTAIL_TEST_STORE);
  if (place == nullptr) return;
  const auto store = Must(OpenMetaStore(place->address()));
  const std::string binary("a\0\n\xff z", 6);

  const MetaValue none = Must(store->Read("state"));
  const std::uint64_t first = Must(store->Swap("state", binary, 0));
  const MetaValue found = Must(store->Read("state"));
  const std::uint64_t second = Must(store->Swap("state", "", first));

  CHECK(none.version == 0);
  CHECK(none.bytes.empty());
  CHECK(first != 0);
  CHECK(found.version == first);
  CHECK(found.bytes == binary);
  CHECK(second != 0);
  CHECK(second != first);
  const MetaValue empty = Must(Must(OpenMetaStore(place->address()))->Read("state"));
  CHECK(empty.version == second);
  CHECK(empty.bytes.empty());
  CHECK(store->Describe() == place->described());
  CHECK(Must(store->Read("other/state")).version == 0);
}

TEST_CASE("a swap by who has not seen the newest value changes nothing and says so",
          "[io][meta_store]") {
  const auto place = StorePlace::Make(LONGTAIL_TEST_STORE);
  if (place == nullptr) return;
  const auto mine = Must(OpenMetaStore(place->address()));
  const auto theirs = Must(OpenMetaStore(place->address()));
  const std::uint64_t first = Must(mine->Swap("state", "1", 0));
  Must(theirs->Swap("state", "2", first));

  const absl::Status stale = mine->Swap("state", "3", first).status();
  const absl::Status as_new = mine->Swap("state", "3", 0).status();
  const absl::Status absent = mine->Swap("other", "3", first).status();

  CHECK(absl::IsAborted(stale));
  CHECK(Says(stale, "value 'state' in " + place->described()));
  CHECK(Says(stale, "was changed by another since it was read"));
  CHECK(absl::IsAborted(as_new));
  CHECK(absl::IsAborted(absent));
  CHECK(Must(mine->Read("state")).bytes == "2");
  CHECK(Must(mine->Read("other")).version == 0);
}

TEST_CASE("of swaps at the same time each counts once", "[io][meta_store]") {
  const auto place = StorePlace::Make(LONGTAIL_TEST_STORE);
  if (place == nullptr) return;
  constexpr int kThreads = 3;
  constexpr int kRounds = 10;
  std::vector<absl::Status> outcomes(kThreads);
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&place, &outcome = outcomes[static_cast<std::size_t>(t)]] {
        const auto store = OpenMetaStore(place->address());
        outcome = store.status();
        for (int i = 0; i < kRounds && outcome.ok();) {
          const absl::StatusOr<MetaValue> value = (*store)->Read("sum");
          outcome = value.status();
          if (!outcome.ok()) return;
          const int sum = value->bytes.empty() ? 0 : std::stoi(value->bytes);
          outcome = (*store)->Swap("sum", std::to_string(sum + 1), value->version).status();
          if (outcome.ok()) ++i;
          if (absl::IsAborted(outcome)) outcome = absl::OkStatus();
        }
      });
    }
  }

  for (const absl::Status& outcome : outcomes) Must(outcome);
  CHECK(Must(Must(OpenMetaStore(place->address()))->Read("sum")).bytes ==
        std::to_string(kThreads * kRounds));
}

TEST_CASE("the largest value is kept, a larger one and a wrong name are refused",
          "[io][meta_store]") {
  const auto place = StorePlace::Make(LONGTAIL_TEST_STORE);
  if (place == nullptr) return;
  const auto store = Must(OpenMetaStore(place->address()));
  std::string large(kMetaBytesMax, 'l');
  large[77] = '\0';

  const std::uint64_t version = Must(store->Swap("state", large, 0));
  const absl::Status larger = store->Swap("state", large + "l", version).status();

  CHECK(Must(store->Read("state")).bytes == large);
  CHECK(absl::IsInvalidArgument(larger));
  CHECK(Says(larger, "value 'state': 1048577 bytes: want at most 1048576"));
  for (const std::string name : {"", "../state", "a~", "a b"}) {
    CHECK(absl::IsInvalidArgument(store->Read(name).status()));
    CHECK(absl::IsInvalidArgument(store->Swap(name, "x", 0).status()));
    CHECK(absl::IsInvalidArgument(ValidateMetaValue(name, "x")));
  }
}

}  // namespace
}  // namespace longtail
