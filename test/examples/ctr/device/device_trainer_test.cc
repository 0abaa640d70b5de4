// Method: the same training by CtrTrainer, on the host's threads, and by DeviceTrainer on the CPU's
// device, in synchronous mode; the table's hash and every byte of the dense state must be equal.
#include "examples/ctr/device/device_trainer.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdint>
#include <fstream>
#include <limits>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "examples/common/data/synthetic_criteo.h"
#include "examples/ctr/ctr_trainer.h"
#include "examples/ctr/small_training.h"

namespace longtail::examples::test {
namespace {

constexpr std::uint64_t kSteps = 9;
constexpr std::uint64_t kExamples = 1 << 16;

template <typename T>
T Need(absl::StatusOr<T> value) {
  INFO(value.status().ToString());
  REQUIRE(value.ok());
  return *std::move(value);
}

void NeedOk(const absl::Status& status) {
  INFO(status.ToString());
  REQUIRE(status.ok());
}

// Fields without a key and with several, keys with values: what the synthetic data have not.
void MakeBags(std::uint64_t first, Batch& batch) {
  std::vector<Key> keys;
  std::vector<std::uint32_t> offsets{0};
  batch.values.clear();
  for (std::size_t bag = 0; bag < batch.size * batch.field_count; ++bag) {
    const std::uint64_t copies = (bag + first) % 3;
    for (std::uint64_t c = 0; c < copies; ++c) {
      keys.push_back(batch.keys[(bag * 7 + c) % batch.keys.size()]);
      batch.values.push_back(0.5F + static_cast<float>(bag % 4));
    }
    offsets.push_back(static_cast<std::uint32_t>(keys.size()));
  }
  batch.keys = std::move(keys);
  batch.offsets = std::move(offsets);
}

enum class Bags { kSingle, kMany };

struct Outcome {
  std::string state;
  std::vector<double> losses;

  bool operator==(const Outcome&) const = default;
};

ClusterOptions OptionsOf(const TrainConfig& config, const std::string& store = "") {
  return {.lanes = config.lanes,
          .partitions = config.partitions,
          .step_mode = config.step_mode,
          .workers = config.workers,
          .store = store};
}

std::unique_ptr<Cluster> MakeCluster(const TrainConfig& config) {
  return Need(Cluster::Embedded(OptionsOf(config)));
}

std::unique_ptr<Trainer> MakeTrainer(const TrainConfig& config, Cluster& cluster) {
  const SyntheticCriteo data(config.data.synthetic->options);
  if (config.device.name.empty()) return Need(CtrTrainer::Make(config, data.layout(), cluster));
  return Need(DeviceTrainer::Make(config, data.layout(), cluster));
}

// Trains from step `begin` to step `end` of the first pass.
std::vector<double> TrainSteps(const TrainConfig& config, Bags bags, std::uint64_t begin,
                               std::uint64_t end, Trainer& trainer) {
  SyntheticSource source(config.data.synthetic->options, begin * config.batch, kExamples);
  std::uint64_t batch_number = begin;
  NeedOk(trainer.BeginEpoch(0, [&](Batch& batch) {
    const absl::Status status = source.Next(config.batch / config.workers, batch);
    if (bags == Bags::kMany) MakeBags(batch_number++, batch);
    return status;
  }));
  std::vector<double> losses;
  trainer.PauseBehind(end);
  while (trainer.step() < end) losses.push_back(Need(trainer.Step()).loss_sum);
  NeedOk(trainer.Flush());
  NeedOk(trainer.RefreshDense());
  return losses;
}

std::string StateOf(Cluster& cluster, const Trainer& trainer) {
  std::string text = absl::StrCat(Need(cluster.Statistics(trainer.table())).hash);
  const TrainerState state = trainer.Save();
  for (const char* name : {"dense.parameters", "dense.optimizer", "step"}) {
    absl::StrAppend(&text, " ", std::hash<std::string>()(state.at(name)));
  }
  return text;
}

Outcome Train(const TrainConfig& config, Bags bags) {
  const auto cluster = MakeCluster(config);
  const auto trainer = MakeTrainer(config, *cluster);
  Outcome outcome;
  outcome.losses = TrainSteps(config, bags, 0, kSteps, *trainer);
  outcome.state = StateOf(*cluster, *trainer);
  return outcome;
}

TrainConfig ConfigOf(const std::string& model) {
  TrainConfig config = SmallConfig();
  config.backoff = {};
  config.prefetch = 0;
  config.data.synthetic->options.missing_rate = 0;  // One key a field: see MakeBags.
  config.batch = 1100;                              // Two blocks of a model, and a part of one.
  config.model = {.name = model,
                  .dim = 4,
                  .hidden = {24, 10},
                  .bottom = {8, 4},
                  .cross_layers = 2,
                  .dropout = 0.25F,
                  .embedding_dropout = 0.1F};
  config.dense = {
      .rule = DenseAdam{.learning_rate = 0.01F}, .weight_decay = 0.01F, .gradient_clip = 0.02F};
  return config;
}

std::vector<TrainConfig> Configs() {
  std::vector<TrainConfig> configs;
  for (const char* name : {"lr", "fm", "wide_deep", "deepfm", "dcn_v2", "dlrm"}) {
    configs.push_back(ConfigOf(name));
  }
  configs.push_back(ConfigOf("fm"));
  configs.back().model.numeric_embedding = true;
  configs.back().sparse_gradient = SparseGradient::kSum;
  configs.back().dense = {.rule = DenseAdagrad{}};
  configs.push_back(ConfigOf("dcn_v2"));
  configs.back().model.linear = true;
  configs.back().model.pooling = Pooling::kSum;
  configs.back().sparse_gradient = SparseGradient::kSum;
  configs.back().dense = {.rule = DenseSgd{.momentum = 0.9F}, .gradient_clip = 0.02F};
  configs.push_back(ConfigOf("deepfm"));
  configs.back().model.dim = 16;
  configs.back().model.dropout = 0;
  configs.back().model.embedding_dropout = 0;
  configs.back().dense = {.rule = DenseSgd{}};
  return configs;
}

TEST_CASE("each model on the CPU's device trains to the bits of the host's threads",
          "[examples][ctr][device]") {
  const std::size_t i = GENERATE(range(std::size_t{0}, Configs().size()));
  const Bags bags = GENERATE(Bags::kSingle, Bags::kMany);
  TrainConfig config = Configs()[i];
  CAPTURE(i, config.model.name, static_cast<int>(bags));
  const Outcome want = Train(config, bags);

  config.device = {.name = "cpu", .depth = 1, .exact_steps = 0};
  const Outcome got = Train(config, bags);

  CHECK(got.state == want.state);
  REQUIRE(got.losses.size() == want.losses.size());
  for (std::size_t step = 0; step < want.losses.size(); ++step) {
    CHECK(got.losses[step] == Approx(want.losses[step]).epsilon(1e-12));  // In another order.
  }
}

TEST_CASE("two steps in flight are a pull one step ahead, to the bit", "[examples][ctr][device]") {
  TrainConfig config = ConfigOf("deepfm");
  const Outcome exact = Train(config, Bags::kSingle);
  config.prefetch = 1;
  const Outcome want = Train(config, Bags::kSingle);
  config.device = {.name = "cpu", .depth = 2, .exact_steps = 0};

  CHECK(Train(config, Bags::kSingle).state == want.state);
  CHECK(want.state != exact.state);
}

TEST_CASE("rows are as old as there are steps in flight, and every run is the same",
          "[examples][ctr][device]") {
  TrainConfig config = ConfigOf("fm");
  const std::uint32_t depth = GENERATE(1U, 2U, 3U, 5U);
  CAPTURE(depth);
  config.device = {.name = "cpu", .depth = depth, .exact_steps = 0};
  const auto cluster = MakeCluster(config);
  const auto trainer = MakeTrainer(config, *cluster);
  TrainSteps(config, Bags::kSingle, 0, kSteps, *trainer);

  const auto pulls = trainer->statistics().pulls_by_staleness;
  CHECK(pulls[depth - 1] == kSteps - (depth - 1));  // The first ones have fewer before them.
  for (std::size_t older = depth; older < pulls.size(); ++older) CHECK(pulls[older] == 0);
  CHECK(Train(config, Bags::kSingle).state == StateOf(*cluster, *trainer));
}

TEST_CASE("a training that pauses, is saved and goes on ends with the same bits",
          "[examples][ctr][device]") {
  TrainConfig config = ConfigOf("deepfm");
  config.device = {.name = "cpu", .depth = 3, .exact_steps = 0};
  const auto whole_cluster = MakeCluster(config);
  const auto whole = MakeTrainer(config, *whole_cluster);
  TrainSteps(config, Bags::kSingle, 0, 4, *whole);
  TrainSteps(config, Bags::kSingle, 4, kSteps, *whole);
  const TemporaryDirectory store;
  const CheckpointName name{.store = store.path(), .name = "four"};
  {
    const auto cluster = Need(Cluster::Embedded(OptionsOf(config, store.path())));
    const auto trainer = MakeTrainer(config, *cluster);
    TrainSteps(config, Bags::kSingle, 0, 4, *trainer);
    Need(cluster->Checkpoint(name.name, trainer->Save()));
  }
  // The host's own trainer takes it as well: the state is of both.
  const bool on_device = GENERATE(true, false);
  if (!on_device) config.device = {};
  const auto cluster = Need(Cluster::Restore(OptionsOf(config, store.path()), name));
  const auto trainer = MakeTrainer(config, *cluster);

  NeedOk(trainer->Restore(Need(ReadTrainerState(name))));
  TrainSteps(config, Bags::kSingle, 4, kSteps, *trainer);

  CHECK(trainer->step() == kSteps);
  if (on_device) CHECK(StateOf(*cluster, *trainer) == StateOf(*whole_cluster, *whole));
}

TEST_CASE("the cache serves rows for as long as it may, and for the same step only what it fetched",
          "[examples][ctr][device]") {
  TrainConfig config = ConfigOf("fm");
  config.device = {.name = "cpu", .depth = 3, .exact_steps = 0};
  const Outcome without = Train(config, Bags::kSingle);
  // So few rows that they leave one another, too.
  config.device.cache_rows = GENERATE(64U, 1U << 14);
  CAPTURE(config.device.cache_rows);

  SECTION("for no step: nothing is served and every bit is as without a cache") {
    CHECK(Train(config, Bags::kSingle).state == without.state);
  }
  SECTION("for some steps: rows are served, and runs are the same") {
    config.device.cache_steps = 2;
    const auto cluster = MakeCluster(config);
    const auto trainer = MakeTrainer(config, *cluster);
    TrainSteps(config, Bags::kSingle, 0, kSteps, *trainer);

    const auto counters = Need(static_cast<DeviceTrainer&>(*trainer).cache_counters());
    CHECK(counters.hits > 0);
    CHECK(counters.expired > 0);
    CHECK((counters.evicted + counters.bypassed > 0) == (config.device.cache_rows == 64));
    CHECK(StateOf(*cluster, *trainer) != without.state);
    CHECK(Train(config, Bags::kSingle).state == StateOf(*cluster, *trainer));
  }
}

TEST_CASE("the first steps have exact rows if that is wanted, with a cache, too",
          "[examples][ctr][device]") {
  TrainConfig config = ConfigOf("fm");
  const Outcome exact = Train(config, Bags::kSingle);
  config.device = {.name = "cpu", .depth = 3, .exact_steps = kSteps};
  config.device.cache_rows = GENERATE(0U, 1U << 14);
  config.device.cache_steps = config.device.cache_rows == 0 ? 0 : 2;
  CHECK(Train(config, Bags::kSingle).state == exact.state);

  config.device.exact_steps = 4;
  const auto cluster = MakeCluster(config);
  const auto trainer = MakeTrainer(config, *cluster);
  TrainSteps(config, Bags::kSingle, 0, kSteps, *trainer);
  const auto pulls = trainer->statistics().pulls_by_staleness;
  CHECK(pulls[0] == 4 + 1);  // And the first behind them.
  CHECK(pulls[1] == 1);
  CHECK(pulls[2] == kSteps - 6);
}

// Batches of several sizes, small ones among them, as the last of a pass is; a rate that changes
// with each step.
Outcome TrainOddSteps(const TrainConfig& config, Bags bags, device::GraphCounters* counters) {
  constexpr std::uint64_t kOddSteps = 24;
  const auto cluster = MakeCluster(config);
  const auto trainer = MakeTrainer(config, *cluster);
  SyntheticSource source(config.data.synthetic->options, 0, kExamples);
  std::uint64_t batch_number = 0;
  NeedOk(trainer->BeginEpoch(0, [&](Batch& batch) {
    const std::size_t size = batch_number % 4 == 3 ? config.batch / 3 : config.batch;
    const absl::Status status = source.Next(size, batch);
    if (bags == Bags::kMany) MakeBags(batch_number, batch);
    ++batch_number;
    return status;
  }));
  Outcome outcome;
  trainer->PauseBehind(kOddSteps);
  while (trainer->step() < kOddSteps) outcome.losses.push_back(Need(trainer->Step()).loss_sum);
  NeedOk(trainer->Flush());
  NeedOk(trainer->RefreshDense());
  outcome.state = StateOf(*cluster, *trainer);
  *counters = static_cast<DeviceTrainer&>(*trainer).graph_counters();
  return outcome;
}

TEST_CASE("each model trains by graph to the bits of its commands, whatever the sizes of batches",
          "[examples][ctr][device][graph]") {
  const std::size_t i = GENERATE(range(std::size_t{0}, Configs().size()));
  const Bags bags = GENERATE(Bags::kSingle, Bags::kMany);
  TrainConfig config = Configs()[i];
  config.batch = 300;
  config.schedule = {.warmup = 5, .decay = RateDecay::kLinear, .steps = 40, .final = 0.1F};
  config.device = {.name = "cpu", .depth = 1, .exact_steps = 0};
  CAPTURE(i, config.model.name, static_cast<int>(bags));
  device::GraphCounters counters;
  const Outcome want = TrainOddSteps(config, bags, &counters);
  CHECK(counters.replays == 0);

  config.device.graph = true;
  const Outcome got = TrainOddSteps(config, bags, &counters);

  CHECK(got == want);
  CHECK(counters.captures >= 3);  // Two rooms, two sizes: at least three were seen twice.
  CHECK(counters.replays >= 10);
  CHECK(counters.replays + counters.plain_steps == 24);
  CHECK(counters.commands >= 6 * counters.replays);
}

TEST_CASE("several steps in flight and the cache go by graph as well",
          "[examples][ctr][device][graph]") {
  TrainConfig config = ConfigOf("deepfm");
  config.batch = 200;
  config.device = {.name = "cpu", .depth = 3, .exact_steps = 2};
  config.device.cache_rows = GENERATE(0U, 1U << 14);
  config.device.cache_steps = config.device.cache_rows == 0 ? 0 : 2;
  device::GraphCounters counters;
  const Outcome want = TrainOddSteps(config, Bags::kSingle, &counters);
  config.device.graph = true;

  CHECK(TrainOddSteps(config, Bags::kSingle, &counters) == want);
  CHECK(counters.captures > 0);
  CHECK(counters.replays > 4);
}

// What a graph of the optimizer must not do: keep the numbers of the step that it was recorded in.
TEST_CASE("an optimizer's rate that is frozen in a graph gives other weights, and is seen so",
          "[examples][ctr][device][graph]") {
  const auto rule = GENERATE(values<decltype(DenseOptimizerSpec::rule)>(
      {DenseSgd{}, DenseSgd{.momentum = 0.9F}, DenseAdagrad{}, DenseAdam{}}));
  enum class Way { kCommands, kGraph, kFrozen };
  ParameterLayout layout;
  layout.Add({.name = "w", .shape = {40}, .initializer = {}, .decay = Decay::kYes});
  const auto weights_by = [&](Way way) {
    device::CpuDevice device({});
    const auto stream = Need(device.MakeStream({.name = "s"}));
    const DenseOptimizerSpec spec{.rule = rule};
    const auto optimizer = Need(DenseOptimizer::Make(spec, layout));
    Parameters parameters(layout, 1);
    std::ranges::fill(parameters.values(), 1.0F);
    const auto dense = Need(DeviceDense::Make(device, spec, layout));
    NeedOk(dense->Load(*stream, parameters, *optimizer));
    std::fill_n(dense->gradients(), layout.size(), 0.25F);
    device::StepScalars read, frozen;  // A CPU's memory is the device's.
    dense->BeginStep(1, read);
    frozen = read;
    NeedOk(stream->BeginCapture());
    dense->Move(*stream, way == Way::kFrozen ? &frozen : &read, 1);
    const auto graph = Need(stream->EndCapture());
    for (int step = 1; step <= 4; ++step) {
      if (step > 1) dense->BeginStep(1 / static_cast<float>(step), read);
      if (way == Way::kCommands) {
        dense->Move(*stream, &read, 1);
      } else {
        stream->Replay(*graph);
      }
      NeedOk(stream->Finish(absl::Minutes(1)));
    }
    NeedOk(dense->Save(*stream, parameters, *optimizer));
    const auto values = parameters.values();
    return std::vector<float>(values.begin(), values.end());
  };
  const std::vector<float> want = weights_by(Way::kCommands);

  CHECK(weights_by(Way::kGraph) == want);
  CHECK(weights_by(Way::kFrozen) != want);
}

TEST_CASE("how steps were launched is told at the end, and a trace of their stages is written",
          "[examples][ctr][device][graph]") {
  const TemporaryDirectory directory;
  TrainConfig config = ConfigOf("fm");
  config.batch = 100;
  config.device = {.name = "cpu", .depth = 2, .exact_steps = 0};
  config.device.graph = GENERATE(true, false);
  config.device.trace = directory.path() + "/trace.json";
  const auto cluster = MakeCluster(config);
  const auto trainer = MakeTrainer(config, *cluster);
  TrainSteps(config, Bags::kSingle, 0, 20, *trainer);

  const std::string note = Need(trainer->Conclude());

  const auto counters = static_cast<DeviceTrainer&>(*trainer).graph_counters();
  CHECK((counters.captures > 0) == config.device.graph);
  if (config.device.graph) {
    CHECK_THAT(note, Catch::StartsWith(absl::StrCat("graphs: ", counters.captures, " recorded; ",
                                                    counters.replays, " steps by 1 launch for ")));
    CHECK_THAT(note, Catch::EndsWith(
                         absl::StrCat(" commands each, ", counters.plain_steps, " by commands")));
  } else {
    CHECK(note.empty());
  }
  std::ostringstream text;
  text << std::ifstream(config.device.trace).rdbuf();
  for (const char* stage :
       {"read", "deduplicate", "inputs in", "pull", "wait for rows", "rows in", "forward",
        "backward", "optimizer", "results out", "wait for results", "push", "wait for pushes"}) {
    CHECK_THAT(text.str(), Catch::Contains(absl::StrCat("{\"name\":\"", stage, "\",")));
  }
  CHECK((text.str().find("\"dense part\"") != std::string::npos) == config.device.graph);
}

TEST_CASE("what a device does not train is refused by name", "[examples][ctr][device]") {
  TrainConfig config = ConfigOf("deepfm");
  config.device.name = "cpu";
  std::string want;
  SECTION("batch norm") {
    config.model.batch_norm = true;
    want = "model 'deepfm' with batch_norm: devices have no kernel for it";
  }
  SECTION("several workers") {
    config.workers = 2;
    want = "workers 2: a device trains with 1 worker";
  }
  SECTION("back-off") {
    config.backoff.below = 3;
    want = "backoff 3: a device trains with none, 0";
  }
  SECTION("an age of rows without a cache") {
    config.device.cache_steps = 4;
    want = "cache_steps 4: a device trains with 0 steps where cache_rows is 0";
  }
  SECTION("a device that there is none of") {
    config.device.name = "tpu";
    want = "'tpu'";
  }
  const auto cluster = MakeCluster(config);
  const SyntheticCriteo data(config.data.synthetic->options);
  const auto trainer = DeviceTrainer::Make(config, data.layout(), *cluster);

  REQUIRE(!trainer.ok());
  CHECK_THAT(std::string(trainer.status().message()), Catch::Contains(want));
}

TEST_CASE("a batch of more keys than the device has room for is an error with both numbers",
          "[examples][ctr][device]") {
  TrainConfig config = ConfigOf("fm");
  config.device = {.name = "cpu", .depth = 2, .exact_steps = 0, .keys_max = 500};
  const auto cluster = MakeCluster(config);
  const auto trainer = MakeTrainer(config, *cluster);
  SyntheticSource source(config.data.synthetic->options, 0, kExamples);
  NeedOk(trainer->BeginEpoch(0, [&](Batch& batch) { return source.Next(config.batch, batch); }));

  const auto step = trainer->Step();

  REQUIRE(!step.ok());
  CHECK_THAT(std::string(step.status().message()),
             Catch::Contains("a step of 6600 keys: the device has room for 500"));
}

TEST_CASE("steps in flight are not saved, nor does a pass begin before they are done",
          "[examples][ctr][device]") {
  TrainConfig config = ConfigOf("fm");
  config.device = {.name = "cpu", .depth = 3, .exact_steps = 0};
  const auto cluster = MakeCluster(config);
  const auto trainer = MakeTrainer(config, *cluster);
  SyntheticSource source(config.data.synthetic->options, 0, kExamples);
  const auto next = [&](Batch& batch) { return source.Next(config.batch, batch); };
  NeedOk(trainer->BeginEpoch(0, next));
  Need(trainer->Step());

  CHECK(absl::IsFailedPrecondition(trainer->RefreshDense()));
  CHECK(absl::IsFailedPrecondition(trainer->BeginEpoch(1, next)));
  trainer->PauseBehind(3);
  while (trainer->step() < 3) Need(trainer->Step());
  CHECK(Need(trainer->Step()).size == 0);
  CHECK(trainer->RefreshDense().ok());
}

TEST_CASE("data end in the middle of a batch, and an error of theirs is the next step's",
          "[examples][ctr][device]") {
  TrainConfig config = ConfigOf("wide_deep");
  config.device = {.name = "cpu", .depth = 3, .exact_steps = 0};
  const auto cluster = MakeCluster(config);
  const auto trainer = MakeTrainer(config, *cluster);
  SyntheticSource source(config.data.synthetic->options, 0, 2 * config.batch + 17);
  NeedOk(trainer->BeginEpoch(0, [&](Batch& batch) { return source.Next(config.batch, batch); }));
  std::vector<std::size_t> sizes;
  for (std::size_t size = 1; size != 0; sizes.push_back(size)) size = Need(trainer->Step()).size;
  CHECK(sizes == std::vector<std::size_t>{config.batch, config.batch, 17, 0});

  std::uint64_t reads = 0;
  SyntheticSource more(config.data.synthetic->options, 0, kExamples);
  NeedOk(trainer->BeginEpoch(1, [&](Batch& batch) -> absl::Status {
    if (++reads == 5) return absl::DataLossError("line 5");
    return more.Next(config.batch, batch);
  }));
  absl::Status status;
  std::uint64_t steps = 0;
  for (; status.ok() && steps < 20; ++steps) status = trainer->Step().status();
  CHECK(status.message() == "line 5");
  CHECK(steps == 3);  // Two more were in flight.
}

}  // namespace
}  // namespace longtail::examples::test
