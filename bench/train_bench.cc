// Training throughput of the CTR trainer, all of it: an embedded cluster, workers, messages, lanes,
// a table with optimizer state, the model, its dense optimizer.
//
// Batches are made beforehand and the table is filled, so that neither is timed. Training and the
// matrix products alone are timed in turn, a slice each, so that a busy machine spoils both alike.
// Prints one line of JSON.
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <numeric>
#include <span>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "bench/gemm_limit.h"
#include "bench/other_load.h"
#include "bench/synthetic_batches.h"
#include "examples/common/report/environment.h"
#include "examples/ctr/ctr_trainer.h"

namespace longtail::bench {
namespace {

using examples::CtrTrainer;

constexpr double kSliceSeconds = 0.5;
constexpr double kLimitShare = 0.3;  // Of a slice, for the products alone.

struct Options {
  std::string model = "deepfm";
  std::string step_mode = "synchronous";
  std::uint32_t staleness = 0;
  std::uint32_t workers = 1;
  std::uint32_t lanes = 1;
  std::uint32_t partitions = 64;
  std::uint32_t prefetch = 1;
  std::size_t batch = 4096;
  BatchLaw law;
  std::size_t batches = 24;  // Different ones, used in turn.
  std::uint64_t warm_up_steps = 24;
  double seconds = 8;
  std::uint64_t steps = 0;  // Instead of seconds, if not 0.
  bool fill_table = true;
  bool is_smoke = false;
};

double Now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double ProcessorSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

std::int64_t ResidentBytesMax() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return std::int64_t{usage.ru_maxrss} << 10;
}

// Both models of torch_ctr.py: the same layers, the same optimizers and rates.
examples::TrainConfig MakeConfig(const Options& options) {
  examples::TrainConfig config;
  config.model.name = options.model;
  config.model.dim = 16;
  config.model.field_count = kFields;
  config.model.numeric_count = kNumbers;
  if (options.model == "dlrm") {
    config.model.bottom = {64, 16};
    config.model.hidden = {96, 32};
  } else {
    config.model.hidden = {400, 400, 400};
  }
  config.table.optimizer.rule =
      AdagradSpec{.learning_rate = 0.02F, .initial_accumulator = 0, .epsilon = 1e-10F};
  config.table.initializer = NormalSpec{.mean = 0, .stddev = 0.01F};
  config.dense.rule = examples::DenseAdam{.learning_rate = 0.001F};
  config.batch = options.batch;
  config.workers = options.workers;
  config.prefetch = options.prefetch;
  config.lanes = options.lanes;
  config.partitions = options.partitions;
  config.step_mode = options.step_mode == "synchronous" ? StepMode::kSynchronous
                     : options.step_mode == "bounded"   ? StepMode::kBoundedStaleness
                                                        : StepMode::kAsynchronous;
  config.staleness = options.staleness;
  return config;
}

// Makes a row for every id, in an order that has nothing to do with how popular they are: PyTorch's
// table has them all too. Every worker ends every step, since a synchronous cluster waits for all.
absl::Status FillTable(const Options& options, Cluster& cluster, TableId table, std::uint32_t dim) {
  std::vector<std::unique_ptr<Worker>> workers(options.workers);
  for (std::unique_ptr<Worker>& worker : workers) {
    LONGTAIL_ASSIGN_OR_RETURN(worker, cluster.Connect());
  }
  const std::uint64_t end = options.law.ids_per_field * kFields;
  constexpr std::uint64_t kChunk = 1 << 16;
  const std::vector<float> zeros(kChunk * dim, 0.0F);
  std::vector<Key> keys;
  for (std::uint64_t first = 0; first < end; first += kChunk) {
    keys.resize(std::min(end - first, kChunk));
    std::iota(keys.begin(), keys.end(), first);
    KeyBatch batch;
    LONGTAIL_RETURN_IF_ERROR(workers[0]->Prepare(table, keys, batch));
    const PushItem item{.keys = &batch, .gradients = std::span(zeros).first(keys.size() * dim)};
    LONGTAIL_RETURN_IF_ERROR(workers[0]->Push(std::span(&item, 1)));
    for (const auto& worker : workers) LONGTAIL_RETURN_IF_ERROR(worker->EndStep());
  }
  return absl::OkStatus();
}

struct Measured {
  std::uint64_t steps = 0;
  std::uint64_t samples = 0;
  double seconds = 0;
  double processor_seconds = 0;
  double first_loss = 0;  // Mean, of the first and the last step.
  double last_loss = 0;
  OtherLoad others;
};

absl::Status Train(CtrTrainer& trainer, std::uint64_t steps, double seconds, Measured& measured) {
  measured.others.Start();
  const double begin = Now();
  const double processor_begin = ProcessorSeconds();
  for (std::uint64_t i = 0; steps != 0 ? i < steps : Now() - begin < seconds; ++i) {
    LONGTAIL_ASSIGN_OR_RETURN(const examples::StepResult result, trainer.Step());
    const double loss = result.loss_sum / static_cast<double>(result.size);
    if (!std::isfinite(loss)) {
      return absl::InternalError(absl::StrCat("loss of step ", result.step, ": ", loss));
    }
    if (measured.steps == 0) measured.first_loss = loss;
    measured.last_loss = loss;
    ++measured.steps;
    measured.samples += result.size;
  }
  LONGTAIL_RETURN_IF_ERROR(trainer.Flush());  // The last push is part of the work.
  measured.seconds += Now() - begin;
  measured.processor_seconds += ProcessorSeconds() - processor_begin;
  measured.others.Stop();
  return absl::OkStatus();
}

nlohmann::json Report(const Options& options, const Measured& measured, const GemmLimit& limit,
                      const TableStatistics& table) {
  const examples::Environment machine =
      examples::CollectEnvironment(absl::StrCat("OpenBLAS ", examples::OpenBlasCoreName()));
  const auto samples = static_cast<double>(measured.samples);
  nlohmann::json json = {
      {"samples_per_second", samples / measured.seconds},
      {"samples_per_processor_second", samples / measured.processor_seconds},
      {"others_share", measured.others.share()},
      {"model", options.model},
      {"workers", options.workers},
      {"lanes", options.lanes},
      {"partitions", options.partitions},
      {"step_mode", options.step_mode},
      {"staleness", options.staleness},
      {"prefetch", options.prefetch},
      {"batch", options.batch},
      {"steps", measured.steps},
      {"loss", measured.last_loss},
      {"rows", table.rows},
      {"table_hash", absl::StrCat(absl::Hex(table.hash))},
      {"table_bytes", table.weight_bytes + table.state_bytes + table.header_bytes +
                          table.index_bytes + table.free_bytes},
      {"table_free_bytes", table.free_bytes},
      {"resident_bytes_max", ResidentBytesMax()},
      {"machine", machine.cpu_model},
      {"cores", machine.core_count},
      {"blas", machine.blas},
  };
  if (options.workers == 1) {  // With more, the products compete with the lanes for the cores.
    json["gemm_limit_samples_per_second"] = limit.samples_per_second();
    json["gemm_flops_per_sample"] = limit.flops_per_sample();
  }
  return json;
}

// The table of the trainer, made before it so that it can be filled.
absl::StatusOr<TableId> MakeFilledTable(const Options& options, examples::TrainConfig& config,
                                        Cluster& cluster) {
  TableSpec spec = config.table;
  spec.name = "features";
  spec.dim = examples::RowDim(config.model);
  spec.seed = config.seed;
  spec.linear_columns = examples::HasLinear(config.model) ? 1 : 0;
  LONGTAIL_ASSIGN_OR_RETURN(const TableId table, cluster.CreateTable(spec));
  if (options.fill_table) {
    LONGTAIL_RETURN_IF_ERROR(FillTable(options, cluster, table, spec.dim));
  }
  return table;
}

absl::Status Run(const Options& options) {
  examples::TrainConfig config = MakeConfig(options);
  LONGTAIL_ASSIGN_OR_RETURN(const std::unique_ptr<Cluster> cluster,
                            Cluster::Embedded({.lanes = config.lanes,
                                               .partitions = config.partitions,
                                               .step_mode = config.step_mode,
                                               .staleness = config.staleness,
                                               .workers = config.workers}));
  LONGTAIL_ASSIGN_OR_RETURN(const TableId table, MakeFilledTable(options, config, *cluster));
  LONGTAIL_ASSIGN_OR_RETURN(const std::unique_ptr<CtrTrainer> trainer,
                            CtrTrainer::Make(config, CriteoLayout(), *cluster));
  if (trainer->table() != table) return absl::InternalError("the trainer made another table");

  const std::vector<examples::Batch> batches =
      MakeBatches(options.law, options.batches * options.workers, options.batch / options.workers);
  std::size_t next = 0;
  LONGTAIL_RETURN_IF_ERROR(trainer->BeginEpoch(0, [&](examples::Batch& batch) {
    batch = batches[next++ % batches.size()];
    return absl::OkStatus();
  }));
  Measured warm_up;
  if (options.warm_up_steps != 0) {
    LONGTAIL_RETURN_IF_ERROR(Train(*trainer, options.warm_up_steps, 0, warm_up));
  }
  Measured measured;
  GemmLimit limit(config.model, options.batch);
  if (options.steps != 0) {
    LONGTAIL_RETURN_IF_ERROR(Train(*trainer, options.steps, 0, measured));
  }
  while (options.steps == 0 && measured.seconds < options.seconds) {
    LONGTAIL_RETURN_IF_ERROR(Train(*trainer, 0, kSliceSeconds, measured));
    if (options.workers == 1) limit.Measure(kSliceSeconds * kLimitShare);
  }
  LONGTAIL_ASSIGN_OR_RETURN(const TableStatistics statistics, cluster->Statistics(table));
  std::printf("%s\n", Report(options, measured, limit, statistics).dump().c_str());
  if (options.is_smoke && measured.last_loss >= measured.first_loss) {
    return absl::InternalError(absl::StrCat("loss went from ", measured.first_loss, " to ",
                                            measured.last_loss, ": wanted it to fall"));
  }
  return absl::OkStatus();
}

// A few steps on one tiny batch, again and again: the loss must fall.
void MakeSmoke(Options& options) {
  options.batch = 64;
  options.law.ids_per_field = 100;
  options.warm_up_steps = 0;
  options.steps = 3;
  options.fill_table = false;
  options.batches = 1;
}

int Main(int argc, char** argv) {
  Options options;
  CLI::App app{"Training throughput of the CTR trainer on synthetic batches; one line of JSON"};
  app.add_option("--model", options.model)->check(CLI::IsMember({"deepfm", "dlrm"}));
  app.add_option("--workers", options.workers, "Threads that train")->check(CLI::Range(1, 64));
  app.add_option("--lanes", options.lanes, "Threads that own partitions")->check(CLI::Range(1, 64));
  app.add_option("--partitions", options.partitions, "A power of two");
  app.add_option("--step-mode", options.step_mode)
      ->check(CLI::IsMember({"synchronous", "asynchronous", "bounded"}));
  app.add_option("--staleness", options.staleness, "Steps; bounded mode alone");
  app.add_option("--prefetch", options.prefetch, "Steps a pull is ahead")->check(CLI::Range(0, 1));
  app.add_option("--batch", options.batch, "Examples of a step")->check(CLI::Range(1, 1 << 20));
  app.add_option("--ids", options.law.ids_per_field, "Ids of a field")
      ->check(CLI::Range(1, 100'000'000));
  app.add_option("--warm-up", options.warm_up_steps, "Steps before the clock starts");
  app.add_option("--seconds", options.seconds, "How long to train")->check(CLI::Range(0.1, 1e4));
  app.add_option("--steps", options.steps, "Train for so many steps instead");
  app.add_flag("--fill,!--no-fill", options.fill_table, "Make all rows first, as PyTorch does");
  app.add_flag("--smoke", options.is_smoke, "A few steps of a tiny batch; the loss must fall");
  CLI11_PARSE(app, argc, argv);
  if (options.is_smoke) MakeSmoke(options);
  const absl::Status status = Run(options);
  if (status.ok()) return 0;
  std::fprintf(stderr, "train_bench: %s\n", status.ToString().c_str());
  return 1;
}

}  // namespace
}  // namespace longtail::bench

int main(int argc, char** argv) {
  return longtail::bench::Main(argc, argv);
}
