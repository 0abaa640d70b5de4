// Training on a device of the host, and what it rests on, beside rivals in the same run.
//
//   dedup     the different keys of a batch, each key's place and count: KeyBatchPlanner, which
//   also
//             groups them by partition, and an absl::flat_hash_map that numbers them
//   training  samples a second: DeviceTrainer with several steps in flight and with one, and
//             CtrTrainer on one thread of the host, a slice of each in turn
//
// Training also prints how many cores each kept busy. --check NAME=VALUE,… makes the exit status
// say whether each named figure is at least so much.
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "bench/figures.h"
#include "bench/synthetic_batches.h"
#include "examples/ctr/ctr_trainer.h"
#include "examples/ctr/device/device_trainer.h"
#include "worker/key_batch_planner.h"

namespace longtail::bench {
namespace {

struct Options {
  std::string model = "fm";
  std::size_t batch = 4096;
  std::uint32_t depth = 3;
  std::uint32_t rounds = 12;
  double slice_seconds = 0.5;
  BatchLaw law;
  std::size_t batches = 24;  // Different ones, used in turn.
  std::vector<std::string> checks;
};

double ProcessorSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// A rival: numbers by first occurrence. Its memory is used again, as ours is.
struct MapDedup {
  absl::flat_hash_map<Key, std::uint32_t> numbers;
  std::vector<Key> keys;
  std::vector<std::uint32_t> counts;
  std::vector<std::uint32_t> inverse;

  void Find(const std::vector<Key>& of) {
    numbers.erase(numbers.begin(), numbers.end());  // clear() would give its memory back.
    numbers.reserve(of.size());
    keys.clear();
    counts.clear();
    inverse.resize(of.size());
    for (std::size_t i = 0; i < of.size(); ++i) {
      const auto [at, is_new] = numbers.try_emplace(of[i], static_cast<std::uint32_t>(keys.size()));
      if (is_new) {
        keys.push_back(of[i]);
        counts.push_back(0);
      }
      ++counts[at->second];
      inverse[i] = at->second;
    }
  }
};

bool RunDedup(const Options& options) {
  const auto batches = MakeBatches(options.law, options.batches, options.batch);
  KeyBatch ours;
  MapDedup map;
  std::vector<double> our_times, map_times;
  bool is_right = true;
  for (std::uint32_t round = 0; round < options.rounds; ++round) {
    for (const examples::Batch& batch : batches) {
      const double begin = Seconds();
      KeyBatchPlanner::Fill(TableId{0}, 17, 64, batch.keys, ours);
      const double middle = Seconds();
      map.Find(batch.keys);
      const double end = Seconds();
      is_right = is_right && ours.unique_size() == map.keys.size();
      if (round == 0) continue;  // Memory is taken.
      our_times.push_back(middle - begin);
      map_times.push_back(end - middle);
    }
  }
  if (!is_right) {
    std::printf("the two found other numbers of keys\n");
    return false;
  }
  const auto keys = static_cast<double>(batches[0].keys.size());
  const double our_time = Quantile(our_times, 0.5);
  const double map_time = Quantile(map_times, 0.5);
  std::printf("%.0f keys a batch, %zu different in the last one\n", keys, ours.unique_size());
  return Report({{"ns_a_key", our_time / keys * 1e9},
                 {"absl_ns_a_key", map_time / keys * 1e9},
                 {"dedup/absl", map_time / our_time}},
                options.checks, Bound::kLeast);
}

// A trainer with a cluster of its own, and what its slices came to.
struct Contender {
  std::string name;
  std::unique_ptr<Cluster> cluster;
  std::unique_ptr<examples::Trainer> trainer;
  std::size_t next = 0;
  double samples = 0;
  double seconds = 0;
  double processor_seconds = 0;
};

examples::TrainConfig ConfigOf(const Options& options, std::uint32_t depth) {
  examples::TrainConfig config;
  config.model.name = options.model;
  config.model.dim = 16;
  config.model.hidden = {64, 32};
  config.model.bottom = {64, 16};
  config.table.optimizer.rule = AdagradSpec{.learning_rate = 0.02F};
  config.table.initializer = NormalSpec{.mean = 0, .stddev = 0.01F};
  config.batch = options.batch;
  config.prefetch = 0;
  if (depth != 0) config.device = {.name = "cpu", .depth = depth, .exact_steps = 0};
  return config;
}

absl::StatusOr<Contender> MakeContender(const std::string& name, const Options& options,
                                        std::uint32_t depth) {
  const examples::TrainConfig config = ConfigOf(options, depth);
  Contender made{.name = name, .cluster = {}, .trainer = {}};
  LONGTAIL_ASSIGN_OR_RETURN(made.cluster, Cluster::Embedded({.lanes = config.lanes,
                                                             .partitions = config.partitions,
                                                             .step_mode = config.step_mode,
                                                             .workers = config.workers}));
  if (depth == 0) {
    LONGTAIL_ASSIGN_OR_RETURN(made.trainer,
                              examples::CtrTrainer::Make(config, CriteoLayout(), *made.cluster));
  } else {
    LONGTAIL_ASSIGN_OR_RETURN(made.trainer,
                              examples::DeviceTrainer::Make(config, CriteoLayout(), *made.cluster));
  }
  return made;
}

// As many steps as there is time for; the flight is empty behind them, in all of them.
absl::Status TrainSlice(Contender& contender, double seconds, std::uint64_t steps_min) {
  examples::Trainer& trainer = *contender.trainer;
  const double begin = Seconds();
  const double processor_begin = ProcessorSeconds();
  std::uint64_t steps = 0;
  trainer.PauseBehind(~std::uint64_t{0});
  while (steps < steps_min || Seconds() - begin < seconds) {
    LONGTAIL_ASSIGN_OR_RETURN(const examples::StepResult result, trainer.Step());
    contender.samples += static_cast<double>(result.size);
    ++steps;
  }
  const std::uint64_t end = trainer.step() + 2;  // What is in flight is done: a part of the work.
  trainer.PauseBehind(end);
  while (trainer.step() < end) {
    LONGTAIL_ASSIGN_OR_RETURN(const examples::StepResult result, trainer.Step());
    contender.samples += static_cast<double>(result.size);
  }
  LONGTAIL_RETURN_IF_ERROR(trainer.Flush());
  contender.seconds += Seconds() - begin;
  contender.processor_seconds += ProcessorSeconds() - processor_begin;
  return absl::OkStatus();
}

absl::StatusOr<bool> RunTraining(const Options& options) {
  std::vector<Contender> contenders;
  for (const auto& [name, depth] : std::vector<std::pair<std::string, std::uint32_t>>{
           {"host", 0}, {"one", 1}, {"several", options.depth}}) {
    LONGTAIL_ASSIGN_OR_RETURN(Contender made, MakeContender(name, options, depth));
    contenders.push_back(std::move(made));
  }
  const auto batches = MakeBatches(options.law, options.batches, options.batch);
  for (Contender& contender : contenders) {
    LONGTAIL_RETURN_IF_ERROR(contender.trainer->BeginEpoch(
        0, [&batches, next = &contender.next](examples::Batch& batch) {
          batch = batches[(*next)++ % batches.size()];
          return absl::OkStatus();
        }));
    LONGTAIL_RETURN_IF_ERROR(TrainSlice(contender, 0, options.batches));  // Rows are made.
    contender.samples = 0;
    contender.seconds = 0;
    contender.processor_seconds = 0;
  }
  for (std::uint32_t round = 0; round < options.rounds; ++round) {
    for (Contender& contender : contenders) {
      LONGTAIL_RETURN_IF_ERROR(TrainSlice(contender, options.slice_seconds, 1));
    }
  }
  Figures figures;
  for (const Contender& contender : contenders) {
    figures[contender.name + "_samples_s"] = contender.samples / contender.seconds;
    figures[contender.name + "_cores"] = contender.processor_seconds / contender.seconds;
  }
  figures["several/one"] = figures["several_samples_s"] / figures["one_samples_s"];
  figures["several/host"] = figures["several_samples_s"] / figures["host_samples_s"];
  std::printf("%s, batch %zu, %u steps in flight\n", options.model.c_str(), options.batch,
              options.depth);
  return Report(figures, options.checks, Bound::kLeast);
}

int Main(int argc, char** argv) {
  Options options;
  bool is_smoke = false;
  CLI::App app{"Training on a device of the host, beside rivals in the same run; both by default"};
  app.require_subcommand(0, 1);
  app.add_option("--batch", options.batch, "Examples of a step")->check(CLI::Range(1, 1 << 20));
  app.add_option("--rounds", options.rounds)->check(CLI::Range(2, 10'000));
  app.add_option("--ids", options.law.ids_per_field, "Ids of a field")
      ->check(CLI::Range(1, 100'000'000));
  app.add_option("--check", options.checks, "NAME=VALUE,...")->delimiter(',');
  app.fallthrough();
  app.add_flag("--smoke", is_smoke, "Small and short");
  CLI::App* const dedup = app.add_subcommand("dedup", "The different keys of a batch");
  CLI::App* const training = app.add_subcommand("training", "Samples a second");
  training->add_option("--model", options.model);
  training->add_option("--depth", options.depth, "Steps in flight")->check(CLI::Range(1, 16));
  training->add_option("--slice", options.slice_seconds, "Seconds")->check(CLI::Range(0.01, 60.0));
  CLI11_PARSE(app, argc, argv);
  if (is_smoke) {
    options.batch = 64;
    options.batches = 3;
    options.rounds = 2;
    options.slice_seconds = 0.01;
    options.law.ids_per_field = 100;
  }
  if (!*training && !RunDedup(options)) return 1;
  if (*dedup) return 0;
  const absl::StatusOr<bool> holds = RunTraining(options);
  if (!holds.ok()) std::fprintf(stderr, "device_bench: %s\n", holds.status().ToString().c_str());
  return holds.ok() && *holds ? 0 : 1;
}

}  // namespace
}  // namespace longtail::bench

int main(int argc, char** argv) {
  return longtail::bench::Main(argc, argv);
}
