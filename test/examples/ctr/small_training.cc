#include "examples/ctr/small_training.h"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "examples/common/data/synthetic_criteo.h"

namespace longtail::examples::test {
namespace {

// Examples of a training pass; the steps of a test take a part of them.
constexpr std::uint64_t kExamples = 1 << 20;

ClusterOptions OptionsOf(const TrainConfig& config, const std::string& store) {
  return {.lanes = config.lanes,
          .partitions = config.partitions,
          .step_mode = config.step_mode,
          .staleness = config.staleness,
          .workers = config.workers,
          .store = store};
}

template <typename T>
T Need(absl::StatusOr<T> value) {
  INFO(value.status().ToString());
  REQUIRE(value.ok());
  return *std::move(value);
}

}  // namespace

TrainConfig SmallConfig() {
  TrainConfig config;
  config.data.synthetic = SyntheticData{};
  config.data.synthetic->options.field_count = 6;
  config.data.synthetic->options.ids_per_field = 300;
  config.model = {.name = "deepfm", .dim = 4, .hidden = {8}, .dropout = 0.25F};
  config.table.optimizer = {.rule = AdamSpec{.learning_rate = 0.02F}, .weight_decay = 0.01F};
  config.table.initializer = NormalSpec{.stddev = 0.1F};
  config.batch = 64;
  config.seed = 3;
  config.backoff.below = 2;
  return config;
}

TemporaryDirectory::TemporaryDirectory() {
  std::string name = (std::filesystem::temp_directory_path() / "longtail-test-XXXXXX").string();
  REQUIRE(mkdtemp(name.data()) != nullptr);
  path_ = name;
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

void SmallTraining::Train(const TrainConfig& config, std::uint64_t epoch, std::uint64_t first,
                          std::uint64_t steps) {
  SyntheticSource source(config.data.synthetic->options, first, kExamples);
  const std::size_t micro_batch = config.batch / config.workers;
  const auto next = [&](Batch& batch) { return source.Next(micro_batch, batch); };
  REQUIRE(trainer->BeginEpoch(epoch, next).ok());
  for (std::uint64_t i = 0; i < steps; ++i) {
    const auto step = trainer->Step();
    INFO(step.status().ToString());
    REQUIRE(step.ok());
    REQUIRE(step->size == config.batch);
  }
  REQUIRE(trainer->Flush().ok());
}

std::string SmallTraining::State() {
  const auto statistics = cluster->Statistics(trainer->table());
  REQUIRE(statistics.ok());
  REQUIRE(statistics->rows > 100);
  return absl::StrCat(statistics->hash, " ",
                      std::hash<std::string>()(trainer->Save().at("dense.parameters")));
}

SmallTraining Start(const TrainConfig& config, const std::string& store) {
  SmallTraining training;
  training.cluster = Need(Cluster::Embedded(OptionsOf(config, store)));
  const SyntheticCriteo data(config.data.synthetic->options);
  training.trainer = Need(CtrTrainer::Make(config, data.layout(), *training.cluster));
  return training;
}

SmallTraining Resume(const TrainConfig& config, const std::string& store, const std::string& name) {
  SmallTraining training;
  const CheckpointName from{.store = store, .name = name};
  training.cluster = Need(Cluster::Restore(OptionsOf(config, store), from));
  const SyntheticCriteo data(config.data.synthetic->options);
  training.trainer = Need(CtrTrainer::Make(config, data.layout(), *training.cluster));
  const TrainerState state = Need(ReadTrainerState(from));
  REQUIRE(training.trainer->Restore(state).ok());
  return training;
}

}  // namespace longtail::examples::test
