// A checkpoint that lies in Ceph, looked at by the program.
#include <algorithm>
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "cli/checkpoint_fixture.h"
#include "cli/checkpoint_source.h"
#include "io/open_store.h"
#include "support/program.h"
#include "support/store_place.h"

namespace longtail::cli {
namespace {

using test::Must;
using test::Outcome;
using test::StorePlace;

bool Says(const Outcome& outcome, const std::string& text) {
  INFO(outcome.said);
  return outcome.said.find(text) != std::string::npos;
}

TEST_CASE("a checkpoint in another store is looked at by its address", "[cli][inspect]") {
  const auto place = StorePlace::Make(LONGTAIL_TEST_STORE);
  if (place == nullptr) return;
  const test::CheckpointFixture there(place->address());
  const test::CheckpointFixture here;
  const auto inspect = [](const std::string& question, const std::string& checkpoint) {
    return test::RunProgram({LONGTAIL_PROGRAM, "inspect", question, checkpoint});
  };

  const Outcome table = inspect("table", there.checkpoint());
  const Outcome none = inspect("table", AddressOf({.store = place->address(), .name = "step-9"}));
  const Outcome no_name = inspect("table", "rados://pool");

  CHECK(table.code == 0);
  CHECK(Says(table, "item"));
  CHECK(Says(table, "user"));
  for (const std::string question : {"hist", "hot"}) {
    const Outcome same = inspect(question, here.checkpoint());
    const Outcome stored = inspect(question, there.checkpoint());
    CHECK(stored.code == 0);
    // But for the lines on where the checkpoint is and when it was made.
    REQUIRE(same.said.find("table item") != std::string::npos);
    CHECK(Says(stored, same.said.substr(same.said.find("table item"))));
  }
  CHECK(none.code == 1);
  CHECK(Says(none, "checkpoint 'step-9': " + place->described() + " has [step-8]"));
  CHECK(no_name.code == 1);
  CHECK(Says(no_name, "checkpoint 'rados://pool': want rados://POOL[/NAMESPACE]/CHECKPOINT"));
  CHECK(Must(OpenCheckpoint(there.checkpoint(), "user")).manifest.step == 8);
}

TEST_CASE("checkpoints in another store are looked after where they lie", "[cli][ckpt]") {
  const auto place = StorePlace::Make(LONGTAIL_TEST_STORE);
  if (place == nullptr) return;
  const test::CheckpointFixture there(place->address());
  const test::ScratchDirectory directory;
  const std::string out = directory.path() + "/item.csv";
  const auto ckpt = [&](const std::string& command, const std::vector<std::string>& more = {}) {
    std::vector<std::string> words = {LONGTAIL_PROGRAM, "ckpt", command, place->address()};
    words.insert(words.end(), more.begin(), more.end());
    return test::RunProgram(words);
  };

  CHECK(Says(ckpt("ls"), "1 checkpoint in " + place->described()));
  CHECK(Says(ckpt("show", {"step-8"}), "table user"));
  const Outcome whole = ckpt("verify");
  CHECK(whole.code == 0);
  CHECK(Says(whole, "checkpoint step-8: whole; "));
  CHECK(ckpt("diff", {"step-8", "step-8"}).code == 0);
  const Outcome exported =
      ckpt("export", {"step-8", "--table", "item", "--format", "csv", "--out", out});
  CHECK(Says(exported, "table item: " + std::to_string(there.items().size()) + " rows to " + out));
  const std::string lines = test::ReadWhole(out);
  CHECK(std::ranges::count(lines, '\n') == static_cast<long>(there.items().size() + 1));

  Must(Must(OpenStore(place->address()))->Remove("step-8/p00002-0000.snapshot"));
  const Outcome damaged = ckpt("verify");
  CHECK(damaged.code == 3);
  CHECK(
      Says(damaged, "step-8/p00002-0000.snapshot: partition 2: tables item, user, empty: is not"));
  CHECK(ckpt("gc", {"--keep", "1"}).code == 0);
  CHECK(Says(ckpt("ls"), "1 checkpoint in "));
}

}  // namespace
}  // namespace longtail::cli
