#include "examples/online/online_trainer.h"

#include <catch2/catch.hpp>
#include <cmath>

#include "base/random.h"
#include "server/cluster_fixture.h"
#include "server/scratch_directory.h"

namespace longtail::examples {
namespace {

using test::Must;

std::vector<Example> SomeExamples(std::size_t count) {
  Rng rng(5);
  std::vector<Example> examples;
  for (std::size_t i = 0; i < count; ++i) {
    const auto feature = rng.Below(10);
    examples.push_back(
        {.id = std::to_string(i),
         .at_ms = static_cast<std::int64_t>(10 * i),
         .joined_ms = static_cast<std::int64_t>(10 * i),
         .is_click = rng.Below(10) < feature,
         .features = {"a=" + std::to_string(feature), "b=" + std::to_string(rng.Below(500))}});
  }
  return examples;
}

std::vector<float> RowsOf(Cluster& cluster) {
  const auto reader = Must(cluster.ConnectReader({}));
  std::vector<Key> keys = {FeatureKeyOf("")};
  for (int i = 0; i < 10; ++i) keys.push_back(FeatureKeyOf("a=" + std::to_string(i)));
  for (int i = 0; i < 500; ++i) keys.push_back(FeatureKeyOf("b=" + std::to_string(i)));
  return test::Rows(*reader, Must(cluster.FindTable(kFeatureTable)), keys, 9);
}

TEST_CASE("a stream is learned, and scored before it is", "[online]") {
  const auto cluster = Must(Cluster::Embedded({.lanes = 2}));
  const auto trainer = Must(OnlineTrainer::Make(*cluster, {.batch_max = 50}));
  for (const Example& one : SomeExamples(6000)) Must(trainer->Add(one));
  Must(trainer->Flush());
  CHECK(trainer->examples() == 6000);
  const HourScores& all = trainer->scores().total();
  CHECK(*all.All().Value() > 0.75);
  CHECK(all.log_loss / 6000 < 0.6);
  // What an untrained model says of all: one half.
  const auto fresh = Must(Cluster::Embedded({.lanes = 1}));
  const auto first = Must(OnlineTrainer::Make(*fresh, {}));
  Must(first->Add(SomeExamples(1)[0]));
  Must(first->Flush());
  CHECK(first->scores().total().log_loss == Approx(std::log(2)).margin(1e-2));
}

TEST_CASE("batches end by examples and by the time of events, and by nothing else", "[online]") {
  const auto cluster = Must(Cluster::Embedded({.lanes = 1}));
  const auto trainer = Must(OnlineTrainer::Make(*cluster, {.batch_max = 3, .batch_ms = 100}));
  const auto add = [&](std::int64_t at_ms) {
    Must(trainer->Add({.id = "x", .at_ms = at_ms, .joined_ms = at_ms, .features = {"f"}}));
    return trainer->steps();
  };
  CHECK(add(10) == 0);
  CHECK(add(20) == 0);
  CHECK(add(99) == 1);
  CHECK(add(99) == 1);
  Must(trainer->Tick(99));
  CHECK(trainer->steps() == 1);
  CHECK(add(100) == 2);
  Must(trainer->Tick(250));
  CHECK(trainer->steps() == 3);
  Must(trainer->Tick(999));
  CHECK(trainer->steps() == 3);
}

TEST_CASE("a trainer that goes on from a checkpoint ends with the bits of one that never stopped",
          "[online]") {
  const std::vector<Example> examples = SomeExamples(2000);
  const OnlineTrainerOptions options{.batch_max = 64, .batch_ms = 300};
  const auto whole = Must(Cluster::Embedded({.lanes = 2, .step_mode = StepMode::kSynchronous}));
  const auto one = Must(OnlineTrainer::Make(*whole, options));
  for (const Example& example : examples) Must(one->Add(example));
  Must(one->Flush());

  const test::ScratchDirectory store;
  const ClusterOptions clusters{
      .lanes = 1, .step_mode = StepMode::kSynchronous, .store = store.path()};
  std::string saved;
  {
    const auto cluster = Must(Cluster::Embedded(clusters));
    const auto trainer = Must(OnlineTrainer::Make(*cluster, options));
    for (std::size_t i = 0; i < 777; ++i) Must(trainer->Add(examples[i]));
    saved = trainer->Save();
    Must(cluster->Checkpoint("c", {{"trainer", saved}}).status());
    for (std::size_t i = 777; i < 900; ++i) Must(trainer->Add(examples[i]));  // Lost.
  }
  const auto cluster = Must(Cluster::Restore(clusters, {store.path(), "c"}));
  const auto trainer = Must(OnlineTrainer::Make(*cluster, options));
  Must(trainer->Restore(Must(ReadTrainerState({store.path(), "c"})).at("trainer")));
  CHECK(trainer->Save() == saved);
  for (std::size_t i = 777; i < examples.size(); ++i) Must(trainer->Add(examples[i]));
  Must(trainer->Flush());
  CHECK(trainer->examples_hash() == one->examples_hash());
  CHECK(trainer->steps() == one->steps());
  CHECK(trainer->Save() == one->Save());
  CHECK(RowsOf(*cluster) == RowsOf(*whole));

  for (const std::string& wrong :
       {std::string(), std::string("1\t2\t3\n"), std::string("1\t2\t3\t9\nx\n"),
        saved.substr(0, saved.find('\n') + 3), std::string("1\t2\t3\t0")}) {
    CAPTURE(wrong);
    CHECK(absl::IsDataLoss(trainer->Restore(wrong)));
  }
}

}  // namespace
}  // namespace longtail::examples
