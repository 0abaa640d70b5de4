// `longtail ckpt export-serving` as a process that is killed again and again while a model follows
// what it writes: whatever is served is whole.
//
// Method: every row of checkpoint n has weights n, so a row of another version, or none, is seen.
#include <signal.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <optional>
#include <thread>

#include "io/open_store.h"
#include "serving/serving_place.h"
#include "support/program.h"

namespace longtail::cli {
namespace {

using test::kNumberedKeys;
using test::Must;

struct Fixture {
  std::vector<std::string> Words(std::vector<std::string> more) const {
    std::vector<std::string> words = {LONGTAIL_PROGRAM, "ckpt", "export-serving", where,
                                      "--out",          place};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }

  const test::ScratchDirectory directory;
  const std::string where = directory.path() + "/store";
  const std::string place = directory.path() + "/place";
  const std::unique_ptr<BlobStore> store = Must(OpenStore(where));
};

TEST_CASE_METHOD(Fixture, "an exporter that is killed leaves what was served, whole",
                 "[cli][serving]") {
  constexpr std::uint64_t kVersions = 30;
  Manifest manifest = test::Numbered(1).Write(*store);
  CHECK(test::Program(Words({})).Wait(absl::Seconds(60)) == 0);
  const auto model = Must(ServingModel::Open(place, {.look_every = std::chrono::milliseconds(1)}));

  std::atomic<bool> is_over = false;
  std::atomic<std::uint64_t> wrong = 0;
  std::thread reader([&] {
    std::vector<Key> keys;
    for (std::uint64_t i = 0; i < kNumberedKeys; ++i) keys.push_back(test::KeyOf(i));
    std::vector<float> rows(kNumberedKeys * 4);
    while (!is_over) {
      const auto version = model->version();
      for (const auto& table : version->tables()) {
        const auto found = table->Lookup(keys, rows, UnseenKeys::kZeros);
        if (!found.ok() || *found != kNumberedKeys) ++wrong;
        for (const float value : rows) {
          if (value != static_cast<float>(version->step())) ++wrong;
        }
      }
    }
  });
  Rng rng(11);
  int killed = 0;
  for (std::uint64_t n = 2; n <= kVersions; ++n) {
    manifest = n % 5 == 0 ? test::Numbered(n).Write(*store)
                          : test::NextNumbered(manifest, n).Write(*store);
    test::Program exporter(Words({"step-" + std::to_string(n), "--changes-max", "1"}));
    absl::SleepFor(absl::Microseconds(static_cast<std::int64_t>(rng.Below(30'000))));
    exporter.Send(SIGKILL);
    killed += exporter.Wait(absl::Seconds(60)) == -SIGKILL ? 1 : 0;
  }
  CHECK(killed > 5);
  test::Program last(Words({"step-" + std::to_string(kVersions)}));
  CHECK(last.Wait(absl::Seconds(60)) == 0);
  Must(model->Refresh());
  is_over = true;
  reader.join();
  INFO(last.said());
  CHECK(wrong == 0);
  CHECK(model->version()->step() == kVersions);
  CHECK(model->statistics().refused == 0);
}

TEST_CASE_METHOD(Fixture,
                 "an exporter follows the store's newest checkpoint until it is told to end",
                 "[cli][serving]") {
  test::Program exporter(Words({"--follow", "0.05"}));
  Manifest manifest = test::Numbered(1).Write(*store);
  std::unique_ptr<ServingModel> model;
  const absl::Time end = absl::Now() + absl::Seconds(60);
  while (model == nullptr && absl::Now() < end) {
    auto opened = ServingModel::Open(place, {.look_every = std::chrono::milliseconds(1)});
    if (opened.ok()) {
      model = *std::move(opened);
    } else {
      absl::SleepFor(absl::Milliseconds(5));
    }
  }
  REQUIRE(model != nullptr);
  test::CheckpointBuilder next = test::Numbered(2);
  next.created_at = "2026-11-29T10:00:01Z";
  next.Write(*store);
  while (model->version()->step() < 2 && absl::Now() < end) {
    absl::SleepFor(absl::Milliseconds(5));
  }
  CHECK(model->version()->step() == 2);
  exporter.Send(SIGTERM);
  CHECK(exporter.Wait(absl::Seconds(60)) == 0);
  INFO(exporter.said());
  CHECK(exporter.said().find("step-2, step 2: all rows\n") != std::string::npos);
}

}  // namespace
}  // namespace longtail::cli
