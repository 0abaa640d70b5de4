// A training of two workers, in two processes on two servers, gives the bits of one process.
#include <catch2/catch.hpp>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "cluster/process_fixture.h"
#include "examples/recommender/small_data.h"
#include "examples/recommender/training_position.h"
#include "examples/recommender/training_run.h"

namespace longtail::examples::recommender {
namespace {

using longtail::test::Must;
using test::TemporaryDirectory;

constexpr std::uint32_t kWorkers = 2;

RunOptions Job(const std::string& out) {
  RunOptions options{.config = test::QuickStart(1), .out = out, .checkpoint_every = 20};
  options.config.model.dim = 8;
  options.config.workers = kWorkers;
  options.config.batch = 512;
  return options;
}

// Each process is a thread here: they share nothing but the cluster and the directory.
RunResult RunProcesses(const RunOptions& whole, std::uint32_t count) {
  std::vector<absl::StatusOr<RunResult>> outcomes(count, absl::UnknownError("not run"));
  std::vector<std::ostringstream> says(count);
  std::vector<std::thread> threads;
  for (std::uint32_t i = 0; i < count; ++i) {
    threads.emplace_back([&, i] {
      RunOptions options = whole;
      options.process = {.count = count, .index = i};
      outcomes[i] = TrainAndEvaluate(options, says[i]);
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const auto& outcome : outcomes) Must(outcome.status());
  return *outcomes[0];
}

std::string Remains(const std::string& store) {
  const auto newest = Must(NewestIn(store, {}));
  REQUIRE(newest.has_value());
  const auto cluster = Must(Cluster::Restore({}, newest->name));
  std::string text;
  for (const TableReport& table : Must(cluster->AllStatistics())) {
    text += table.spec.name + " " + std::to_string(table.statistics.hash) + "\n";
  }
  return text;
}

TEST_CASE("two processes on two servers train to the bits of one, and go on after a stop",
          "[examples][recommender][cluster]") {
  const TemporaryDirectory alone;
  std::ostringstream says;
  const RunResult want = Must(TrainAndEvaluate(Job(alone.path()), says));

  const TemporaryDirectory together;
  RunOptions options = Job(together.path());
  const std::string store = together.path() + "/checkpoints";
  auto processes = longtail::test::StartProcesses(
      {.cluster = {.servers = 2, .workers = kWorkers, .step_mode = StepMode::kSynchronous}}, 1,
      store);
  options.cluster = processes.coordinator->address();
  options.stop_after = 50;
  RunProcesses(options, 2);
  options.stop_after = 0;
  options.resume = true;  // The cluster has the tables still: it goes back to the checkpoint.
  const RunResult got = RunProcesses(options, 2);
  CHECK(got.steps == want.steps);
  CHECK(ToJson(*got.ranking) == ToJson(*want.ranking));
  CHECK(Remains(store) == Remains(alone.path() + "/checkpoints"));

  options.config.workers = 3;
  const auto refused = TrainAndEvaluate(options, says);
  CHECK(refused.status().message().find("is for 2 workers, synchronous: the config wants 3") !=
        std::string::npos);
}

TEST_CASE("processes want a cluster that they share", "[examples][recommender][cluster]") {
  const TemporaryDirectory directory;
  RunOptions options = Job(directory.path());
  options.process = {.count = 2, .index = 0};
  std::ostringstream says;
  CHECK(TrainAndEvaluate(options, says).status().message() ==
        "2 processes: wanted a cluster that they share (--cluster)");
}

}  // namespace
}  // namespace longtail::examples::recommender
