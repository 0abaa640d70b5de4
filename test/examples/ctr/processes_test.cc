// A training divided among processes gives the bits of one process with as many workers.
#include <algorithm>
#include <catch2/catch.hpp>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "cluster/process_fixture.h"
#include "examples/ctr/small_training.h"
#include "examples/ctr/training_run.h"
#include "longtail/checkpoint.h"

namespace longtail::examples {
namespace {

using longtail::test::Must;

constexpr std::uint32_t kWorkers = 4;

RunOptions Job(const std::string& out, const std::string& model) {
  RunOptions options{
      .config = Must(LoadTrainConfig(std::string(LONGTAIL_SOURCE_DIR) +
                                     "/examples/ctr/configs/movielens-latest-small.json")),
      .out = out,
      .command_line = "test"};
  options.config.epochs = 1;
  options.config.workers = kWorkers;
  options.config.batch = 512;
  if (model == "dlrm-bn") options.config.model.batch_norm = true;
  return options;
}

// Each process is a thread here: they share nothing but the cluster and the directory.
// The report of the first.
RunReport RunProcesses(const RunOptions& whole, std::uint32_t count) {
  std::vector<absl::Status> outcomes(count);
  RunReport report;
  std::vector<std::ostringstream> texts(count);
  std::vector<std::thread> threads;
  for (std::uint32_t i = 0; i < count; ++i) {
    threads.emplace_back([&, i] {
      RunOptions options = whole;
      options.process = {.count = count, .index = i};
      auto run = TrainAndReport(options, texts[i]);
      outcomes[i] = run.status();
      if (i == 0 && run.ok()) report = *std::move(run);
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const absl::Status& outcome : outcomes) Must(outcome);
  return report;
}

// What a run leaves: the trainer's state and the hash of its rows.
std::map<std::string, std::string> Remains(const std::string& store) {
  const auto there = Must(ListCheckpoints(store));
  REQUIRE(!there.empty());
  const CheckpointName last = std::ranges::max_element(there, {}, &CheckpointInfo::step)->name;
  std::map<std::string, std::string> remains = Must(ReadTrainerState(last));
  const auto cluster = Must(Cluster::Restore({}, last));
  remains["rows"] =
      std::to_string(Must(cluster->Statistics(Must(cluster->FindTable("features")))).hash);
  return remains;
}

std::string TextOf(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST_CASE("processes train to the bits of one", "[examples][ctr][cluster]") {
  const std::string model = GENERATE("deepfm", "dlrm-bn");
  CAPTURE(model);
  const test::TemporaryDirectory alone;
  std::ostringstream terminal;
  Must(TrainAndReport(Job(alone.path(), model), terminal).status());
  const auto want = Remains(alone.path() + "/checkpoints");
  CHECK(want.contains("dense.parameters"));

  for (const std::uint32_t count : {2U, 4U}) {
    CAPTURE(count);
    const test::TemporaryDirectory together;
    RunOptions options = Job(together.path(), model);
    options.config.name_key_lists = count == 4;  // It changes what travels, and nothing else.
    const std::string store = together.path() + "/checkpoints";
    auto processes =
        longtail::test::StartProcesses({.cluster = {.servers = count - 1,
                                                    .workers = kWorkers,
                                                    .step_mode = StepMode::kSynchronous}},
                                       1, store);
    options.cluster = processes.coordinator->address();
    RunProcesses(options, count);
    CHECK(Remains(store) == want);
    CHECK(TextOf(together.path() + "/predictions.csv") ==
          TextOf(alone.path() + "/predictions.csv"));
  }
}

TEST_CASE("a training goes on from a checkpoint on the cluster that it trained on",
          "[examples][ctr][cluster][rollback]") {
  const test::TemporaryDirectory alone;
  std::ostringstream terminal;
  Must(TrainAndReport(Job(alone.path(), "deepfm"), terminal).status());

  const test::TemporaryDirectory directory;
  RunOptions options = Job(directory.path(), "deepfm");
  options.resume = true;
  const std::string store = directory.path() + "/checkpoints";
  auto processes = longtail::test::StartProcesses(
      {.cluster = {.servers = 2, .workers = kWorkers, .step_mode = StepMode::kSynchronous}}, 1,
      store);
  options.cluster = processes.coordinator->address();
  options.stop_after = 20;
  Must(TrainAndReport(options, terminal).status());
  const std::string good = Must(ListCheckpoints(store))[0].name.name;
  options.stop_after = 15;  // What came of it is not wanted; it saved a checkpoint, too.
  Must(TrainAndReport(options, terminal).status());
  REQUIRE(Must(ListCheckpoints(store)).size() == 2);
  RemoteOptions remote = processes.remote();
  remote.store = store;
  Must(Must(Cluster::Remote(remote))->RollBack(good));

  options.stop_after = 15;  // As far as before.
  std::ostringstream says;
  Must(TrainAndReport(options, says).status());
  CHECK(says.str().find("Resumed from " + AddressOf({store, good})) != std::string::npos);
  CHECK(Must(ListCheckpoints(store)).back().name.name == "step-00000035-r3");
  options.stop_after = 0;
  Must(TrainAndReport(options, terminal).status());
  CHECK(Remains(store) == Remains(alone.path() + "/checkpoints"));
}

TEST_CASE("processes that do not wait for one another learn as well", "[examples][ctr][cluster]") {
  const StepMode mode = GENERATE(StepMode::kAsynchronous, StepMode::kBoundedStaleness);
  const std::uint32_t staleness = mode == StepMode::kBoundedStaleness ? 4 : 0;
  const std::uint32_t row_cache_mib = GENERATE(0U, 1U);
  CAPTURE(mode, row_cache_mib);
  const test::TemporaryDirectory alone;
  std::ostringstream terminal;
  const RunReport want = Must(TrainAndReport(Job(alone.path(), "deepfm"), terminal));

  const test::TemporaryDirectory together;
  RunOptions options = Job(together.path(), "deepfm");
  options.config.step_mode = mode;
  options.config.staleness = staleness;
  options.config.row_cache_mib = row_cache_mib;
  options.config.row_cache_steps = row_cache_mib;
  const std::string store = together.path() + "/checkpoints";
  auto processes = longtail::test::StartProcesses(
      {.cluster = {.servers = 2, .workers = kWorkers, .step_mode = mode, .staleness = staleness}},
      1, store);
  options.cluster = processes.coordinator->address();
  const RunReport got = RunProcesses(options, 2);

  CHECK((got.row_cache.rows_served > 0) == (row_cache_mib != 0));
  // Other roundings and orders, and one epoch: close, not equal.
  REQUIRE(got.splits.size() == want.splits.size());
  CHECK(got.splits[1].evaluation.overall.auc.value() ==
        Approx(want.splits[1].evaluation.overall.auc.value()).margin(0.02));
  // Dense parameters came from the cluster, and moved.
  const auto state = Must(ReadTrainerState(Must(ListCheckpoints(store))[0].name));
  const auto other =
      Must(ReadTrainerState(Must(ListCheckpoints(alone.path() + "/checkpoints"))[0].name));
  CHECK(state.at("dense.parameters") != other.at("dense.parameters"));
  options.config.dense.weight_decay = 0.1F;
  options.process = {.count = 2, .index = 0};
  options.out = together.path() + "/decay";
  const auto refused = TrainAndReport(options, terminal);
  CHECK(refused.status().code() == absl::StatusCode::kUnimplemented);
}

TEST_CASE("with narrow values processes learn as well, and do the same every time",
          "[examples][ctr][cluster]") {
  const test::TemporaryDirectory alone;
  std::ostringstream terminal;
  const RunReport want = Must(TrainAndReport(Job(alone.path(), "deepfm"), terminal));
  CHECK(want.wire.total() == 0);
  std::vector<std::string> predictions;
  for (int i = 0; i < 2; ++i) {
    const test::TemporaryDirectory together;
    RunOptions options = Job(together.path(), "deepfm");
    options.config.wire_gradients = WireValues::kInt8;
    options.config.wire_rows = WireValues::kBfloat16;
    options.config.name_key_lists = true;
    const std::string store = together.path() + "/checkpoints";
    auto processes = longtail::test::StartProcesses(
        {.cluster = {.servers = 2, .workers = kWorkers, .step_mode = StepMode::kSynchronous}}, 1,
        store);
    options.cluster = processes.coordinator->address();
    const RunReport got = RunProcesses(options, 2);
    predictions.push_back(TextOf(together.path() + "/predictions.csv"));
    CHECK(got.splits[1].evaluation.overall.auc.value() ==
          Approx(want.splits[1].evaluation.overall.auc.value()).margin(0.02));
    CHECK(got.wire.steps > 0);
    CHECK(got.wire.value_bytes_sent > 0);
    CHECK(got.wire.value_bytes_received > 0);
    CHECK(got.wire.key_bytes_sent > 0);
  }
  CHECK(predictions[0].size() > 1000);
  CHECK(predictions[0] == predictions[1]);
}

TEST_CASE("processes that were stopped go on from their checkpoint",
          "[examples][ctr][cluster][resume]") {
  // The one at step 80, where it goes on, is an increment on that at step 40, or full.
  const std::uint32_t increments = GENERATE(0U, 3U);
  const auto run = [&](const std::string& out, std::uint64_t stop_after, bool resume) {
    RunOptions options = Job(out, "deepfm");
    options.checkpoint_every = 40;
    options.checkpoint_increments = increments;
    options.stop_after = stop_after;
    options.resume = resume;
    auto processes = longtail::test::StartProcesses(
        {.cluster = {.servers = 2, .workers = kWorkers, .step_mode = StepMode::kSynchronous}}, 1,
        out + "/checkpoints");
    options.cluster = processes.coordinator->address();
    RunProcesses(options, 2);
  };
  const test::TemporaryDirectory whole;
  run(whole.path(), 0, false);
  const test::TemporaryDirectory parts;
  run(parts.path(), 80, false);
  const std::vector<CheckpointInfo> saved =
      longtail::test::Must(ListCheckpoints(parts.path() + "/checkpoints"));
  CHECK(saved.back().step == 80);
  CHECK(saved.back().increments == (increments == 0 ? 0 : 1));
  run(parts.path(), 0, true);
  const std::string predictions = TextOf(whole.path() + "/predictions.csv");
  CHECK(predictions.size() > 1000);
  CHECK(TextOf(parts.path() + "/predictions.csv") == predictions);
}

}  // namespace
}  // namespace longtail::examples
