// On each store: a program for each (CMakeLists.txt).
#include "checkpoint/store_listing.h"

#include <catch2/catch.hpp>
#include <memory>

#include "checkpoint/checkpoint_builder.h"
#include "io/open_store.h"
#include "support/store_place.h"

namespace longtail::checkpoint {
namespace {

using test::CheckpointBuilder;
using test::Must;
using test::StorePlace;

CheckpointBuilder Small(const std::string& name, const std::string& created_at,
                        std::uint64_t step = 1) {
  CheckpointBuilder built;
  built.name = name;
  built.created_at = created_at;
  built.step = step;
  built.partitions = 1;
  built.tables.push_back({.spec = test::ExactSpec("t", 1), .value_count = 1});
  return built;
}

std::vector<std::string> NamesOf(const StoreListing& listing) {
  std::vector<std::string> names;
  for (const ListedCheckpoint& listed : listing.checkpoints) names.push_back(listed.name);
  return names;
}

TEST_CASE("checkpoints are listed by when they were saved", "[checkpoint][store_listing]") {
  const auto place = StorePlace::Make(LONGTAIL_TEST_STORE);
  if (place == nullptr) return;
  const auto store = Must(OpenStore(place->address()));
  Small("a", "2026-11-29T10:00:00.25Z").Write(*store);
  Small("b", "2026-11-29T10:00:00Z", 7).Write(*store);
  Small("c", "2026-11-29T11:30:00+02:00").Write(*store);  // Half an hour before b.
  Small("d", "2026-11-29T10:00:00Z", 6).Write(*store);
  Small("e", "last summer").Write(*store);

  const StoreListing listing = Must(ListStore(*store));

  CHECK(NamesOf(listing) == std::vector<std::string>{"e", "c", "d", "b", "a"});
  CHECK(listing.unfinished.empty());
  CHECK(listing.checkpoints[0].saved == absl::InfinitePast());
  CHECK(listing.checkpoints[1].objects ==
        std::vector<std::string>{"c/MANIFEST.json", "c/p00000-0000.snapshot"});
}

TEST_CASE("what has no manifest is told from checkpoints and from all else",
          "[checkpoint][store_listing]") {
  const auto place = StorePlace::Make(LONGTAIL_TEST_STORE);
  if (place == nullptr) return;
  const auto store = Must(OpenStore(place->address()));
  CheckpointBuilder half = test::ThreeTables();
  half.name = "half";
  half.WriteObjects(*store);
  Small("whole", "2026-11-29T10:00:00Z").Write(*store);
  Small("going", "2026-11-29T10:00:00Z").WriteObjects(*store);
  Must(store->Write("going/REMOVED", "x"));
  // Of lanes' logs, a coordinator, others.
  for (const char* other :
       {"server-0/lane-0/00000000000000000000.log", "server-0/lane-0/base-8/p00000-0000.snapshot",
        "coordinator/state", "notes/trainer-x.blob", "p00000-0000.snapshot", "other/MANIFEST"}) {
    Must(store->Write(other, "y"));
  }
  Must(store->Write("broken/MANIFEST.json", "{\"format\":"));

  const StoreListing listing = Must(ListStore(*store));

  CHECK(NamesOf(listing) == std::vector<std::string>{"broken", "whole"});
  CHECK(absl::IsDataLoss(listing.checkpoints[0].manifest.status()));
  REQUIRE(listing.unfinished.size() == 2);
  CHECK(listing.unfinished[0].name == "going");
  CHECK(listing.unfinished[0].is_being_removed);
  CHECK(listing.unfinished[1].name == "half");
  CHECK_FALSE(listing.unfinished[1].is_being_removed);
  CHECK(listing.unfinished[1].objects == Must(store->List("half/")));
}

}  // namespace
}  // namespace longtail::checkpoint
