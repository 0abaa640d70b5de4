// A place that is followed: versions change beneath readers, and what is wrong is never served.
#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include "serving/serving_place.h"

namespace longtail {
namespace {

using test::CheckpointBuilder;
using test::KeyOf;
using test::kNumberedKeys;
using test::LookUp;
using test::Must;
using test::NextNumbered;
using test::Numbered;
using test::Says;

bool IsMapped(const std::string& file) {
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    if (line.find(file) != std::string::npos) return true;
  }
  return false;
}

template <typename Condition>
bool Within(std::chrono::seconds limit, Condition&& holds) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (!holds()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

struct Fixture : test::ServingPlace {
  std::unique_ptr<ServingModel> Open(ServingOptions opened = {.look_every = {}}) {
    return Must(ServingModel::Open(options.place, opened));
  }
  float Value(const ServingModel& model, const char* table = "item") {
    return LookUp(*model.version()->Find(table), KeyOf(3)).row[0];
  }
};

TEST_CASE_METHOD(Fixture, "a place is followed, by rows and by changes", "[serving][model]") {
  options.changes_share_max = 2;
  Manifest manifest = Numbered(1).Write(store);
  const auto first = Export("step-1", manifest);
  const auto model = Open({.look_every = std::chrono::milliseconds(5)});
  CHECK(Value(*model) == 1);
  for (std::uint64_t n = 2; n <= 4; ++n) {
    manifest = NextNumbered(manifest, n).Write(store);
    const auto done = Export("step-" + std::to_string(n), manifest);
    CHECK(done.is_changes == (n <= 3));  // Those of three steps are more than twice the rows.
    REQUIRE(
        Within(std::chrono::seconds(30), [&] { return Value(*model) == static_cast<float>(n); }));
    CHECK(Value(*model, "user") == static_cast<float>(n));
    CHECK(model->version()->checkpoint() == "step-" + std::to_string(n));
  }
  const ServingStatistics statistics = model->statistics();
  CHECK(statistics.versions == 4);
  CHECK(statistics.refused == 0);
  CHECK(statistics.step == 4);
  CHECK(statistics.seconds_behind == 0);
  CHECK(statistics.seconds_since_saved > 0);
  CHECK(statistics.mapped_bytes > 2 * kNumberedKeys * 16);
}

TEST_CASE_METHOD(Fixture, "a version is seen whole, and only goes forward, by any reader",
                 "[serving][model]") {
  options.changes_share_max = 1;
  Manifest manifest = Numbered(1).Write(store);
  Export("step-1", manifest);
  const auto model = Open({.look_every = std::chrono::milliseconds(1)});
  constexpr std::uint64_t kVersions = 40;
  std::atomic<bool> is_over = false;
  std::atomic<std::uint64_t> mixed = 0;
  std::atomic<std::uint64_t> back = 0;
  std::atomic<std::uint64_t> lookups = 0;
  const auto read = [&] {
    std::vector<Key> keys;
    for (std::uint64_t i = 0; i < kNumberedKeys; ++i) keys.push_back(KeyOf(i));
    std::vector<float> rows(kNumberedKeys * 4);
    float last = 0;
    while (!is_over) {
      const auto version = model->version();
      const auto want = static_cast<float>(version->step());
      for (const char* table : {"item", "user"}) {
        const auto found = version->Find(table)->Lookup(keys, rows, UnseenKeys::kInitialValues);
        const bool is_whole = found.ok() && *found == kNumberedKeys &&
                              std::ranges::all_of(rows, [&](float v) { return v == want; });
        if (!is_whole) ++mixed;
      }
      if (want < last) ++back;
      last = want;
      ++lookups;
    }
  };
  std::vector<std::thread> readers;
  for (int i = 0; i < 3; ++i) readers.emplace_back(read);
  for (std::uint64_t n = 2; n <= kVersions; ++n) {
    manifest = n % 4 == 0 ? Numbered(n).Write(store) : NextNumbered(manifest, n).Write(store);
    Export("step-" + std::to_string(n), manifest);
    const std::uint64_t seen = lookups;
    while (lookups < seen + 5) std::this_thread::yield();
  }
  const bool is_last =
      Within(std::chrono::seconds(30), [&] { return model->version()->step() == kVersions; });
  is_over = true;
  for (std::thread& reader : readers) reader.join();
  CHECK(is_last);
  CHECK(mixed == 0);
  CHECK(back == 0);
  CHECK(model->statistics().refused == 0);
  CHECK(model->statistics().versions > 3);
}

TEST_CASE_METHOD(Fixture, "files are unmapped when the last reader lets go of them",
                 "[serving][model]") {
  const auto first = Export(Numbered(1));
  const auto model = Open();
  const std::string file = PathOf(first.tables[0].file);
  auto held = model->version();
  Export(Numbered(2));
  Must(model->Refresh());
  Export(Numbered(3));
  Must(model->Refresh());
  CHECK_FALSE(std::filesystem::exists(file));
  CHECK(IsMapped(file));
  CHECK(LookUp(*held->Find("item"), KeyOf(3)).row[0] == 1);
  CHECK(Value(*model) == 3);
  held.reset();
  CHECK_FALSE(IsMapped(file));
}

TEST_CASE_METHOD(Fixture, "what is wrong is refused and counted, and the version before stays",
                 "[serving][model]") {
  Export(Numbered(1));
  const auto model = Open();
  std::string reason;
  absl::StatusCode code = absl::StatusCode::kDataLoss;
  CheckpointBuilder second = Numbered(2);
  SECTION("a damaged file") {
    const auto done = Export(second);
    test::FlipByte(PathOf(done.tables[1].file), done.tables[1].bytes / 2);
    reason = done.tables[1].file + ": damaged within bytes ";
  }
  SECTION("a file cut short") {
    const auto done = Export(second);
    std::filesystem::resize_file(PathOf(done.tables[0].file), done.tables[0].bytes - 9);
    reason = "truncated at offset " + std::to_string(done.tables[0].bytes - 9);
  }
  SECTION("a file of another version") {
    const auto done = Export(second);
    test::FlipByte(PathOf(done.tables[0].file), 8);
    reason = "serving file of version 17: want 1";
    code = absl::StatusCode::kInvalidArgument;
  }
  SECTION("a damaged list") {
    Export(second);
    test::FlipByte(PathOf("CURRENT"), 50);
    reason = "CURRENT: ";
  }
  SECTION("a list of another version") {
    Export(second);
    test::FlipByte(PathOf("CURRENT"), 8);
    reason = "format version 17 at byte 8 is newer";
    code = absl::StatusCode::kInvalidArgument;
  }
  SECTION("a table with another spec") {
    second.tables[1].spec.seed = 8;
    Export(second);
    reason = "table 'user' of dim 4 with spec ";
    code = absl::StatusCode::kFailedPrecondition;
  }
  SECTION("a table is missing") {
    second.tables.pop_back();
    Export(second);
    reason = "checkpoint 'step-2' has no table 'user', which this program serves";
    code = absl::StatusCode::kFailedPrecondition;
  }
  SECTION("a file that is not there") {
    const auto done = Export(second);
    std::filesystem::remove(PathOf(done.tables[0].file));
    reason = "No such file";
    code = absl::StatusCode::kNotFound;
  }
  SECTION("a file that is another's") {
    const auto done = Export(second);
    std::filesystem::copy_file(PathOf(done.tables[1].file), PathOf(done.tables[0].file),
                               std::filesystem::copy_options::overwrite_existing);
    reason = "is not the file that ";
    code = absl::StatusCode::kFailedPrecondition;
  }

  for (int i = 0; i < 3; ++i) {
    const absl::Status refused = model->Refresh();
    CHECK(refused.code() == code);
    CHECK(Says(refused, reason));
    CHECK(Value(*model) == 1);
    CHECK(Value(*model, "user") == 1);
  }
  ServingStatistics statistics = model->statistics();
  CHECK(statistics.refused == 1);
  CHECK(statistics.versions == 1);
  CHECK(statistics.last_refusal.find(reason) != std::string::npos);
  CHECK(statistics.seconds_behind > 0);

  Export(Numbered(3));
  Must(model->Refresh());
  CHECK(Value(*model, "user") == 3);
  statistics = model->statistics();
  CHECK(statistics.refused == 1);
  CHECK(statistics.versions == 2);
  CHECK(statistics.seconds_behind == 0);
}

TEST_CASE_METHOD(Fixture, "a refused version is looked at again when it was written again",
                 "[serving][model]") {
  Export(Numbered(1));
  const auto model = Open({.look_every = std::chrono::milliseconds(2)});
  const auto done = Export(Numbered(2));
  test::FlipByte(PathOf(done.tables[0].file), done.tables[0].bytes / 2);
  test::WriteWhole(PathOf("CURRENT"), test::ReadWhole(PathOf("CURRENT")));
  static_cast<void>(model->Refresh());
  if (model->version()->step() == 1) {
    const std::uint64_t refused = model->statistics().refused;
    CHECK(refused >= 1);
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    CHECK(model->statistics().refused == refused);
  }
  Export(Numbered(2));
  CHECK(Within(std::chrono::seconds(30), [&] { return Value(*model) == 2; }));
}

TEST_CASE_METHOD(Fixture, "a place that cannot be read is told and counted", "[serving][model]") {
  CHECK(absl::IsNotFound(ServingModel::Open(options.place, {}).status()));
  CHECK(Says(ServingModel::Open(options.place, {}).status(),
             "want a place that `longtail ckpt export-serving` has written to"));
  Export(Numbered(1));
  CHECK(Says(
      ServingModel::Open(options.place, {.look_every = std::chrono::milliseconds(-1)}).status(),
      "look_every -1 ms: want 0 or more"));
  TableSpec other = test::SpecOf("item", 4, SgdSpec{});
  const auto model = Open({.look_every = {}, .tables = {other}});
  CHECK(model->version()->tables().size() == 1);
  CHECK(model->version()->Find("user") == nullptr);
  CHECK(model->version()->created_at() == "2026-11-29T10:00:00Z");
  other.dim = 8;
  CHECK(
      absl::IsFailedPrecondition(ServingModel::Open(options.place, {.tables = {other}}).status()));
  std::filesystem::remove(PathOf("CURRENT"));
  CHECK(absl::IsNotFound(model->Refresh()));
  CHECK(model->statistics().failed_looks == 1);
  CHECK(Value(*model) == 1);
}

}  // namespace
}  // namespace longtail
