#include "examples/recommender/factor_trainer.h"

#include <atomic>
#include <chrono>
#include <thread>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace longtail::examples::recommender {
namespace {

// A worker may wait for others that evaluate or save.
constexpr std::chrono::minutes kCallTimeout{10};

}  // namespace

FactorTrainer::FactorTrainer(const RecommenderConfig& config, const Dataset& data)
    : config_(config),
      data_(data),
      keys_(data.names),
      sampler_(data.item_counts, config.loss.negative_power, config.loss.popularity_correction),
      gemm_(MakeOpenBlasGemm()) {}

absl::StatusOr<std::unique_ptr<FactorTrainer>> FactorTrainer::Make(const RecommenderConfig& config,
                                                                   const Dataset& data,
                                                                   Cluster& cluster,
                                                                   const ProcessPlace& place) {
  if (config.workers % place.count != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat(config.workers, " workers in ", place.count,
                     " processes: wanted an equal number of workers in each"));
  }
  std::unique_ptr<FactorTrainer> trainer(new FactorTrainer(config, data));
  LONGTAIL_ASSIGN_OR_RETURN(trainer->tables_, MakeTables(config, cluster));
  for (std::uint32_t i = 0; i < place.WorkersHere(config.workers); ++i) {
    LONGTAIL_ASSIGN_OR_RETURN(
        auto worker,
        cluster.Connect({.timeout = kCallTimeout, .rank = place.FirstWorker(config.workers) + i}));
    trainer->workers_.push_back(
        std::make_unique<FactorWorker>(std::move(worker), config, trainer->tables_, trainer->keys_,
                                       data, trainer->sampler_, *trainer->gemm_));
  }
  return trainer;
}

absl::StatusOr<double> FactorTrainer::Train(std::uint64_t begin, std::uint64_t end) {
  struct Outcome {
    absl::Status status;
    double loss = 0;
  };
  std::vector<Outcome> outcomes(workers_.size());
  std::atomic<bool> has_failed = false;
  const auto run = [&](std::size_t i) {
    for (std::uint64_t step = begin; step < end && !has_failed.load(); ++step) {
      const absl::StatusOr<double> loss = workers_[i]->Step(step);
      outcomes[i].status = loss.status();
      if (!loss.ok()) break;
      outcomes[i].loss += *loss;
    }
    if (outcomes[i].status.ok()) outcomes[i].status = workers_[i]->Flush();
    if (outcomes[i].status.ok()) return;
    // Whoever waits for a step of this one would wait in vain: a worker that left keeps nobody.
    has_failed.store(true);
    workers_[i].reset();
  };
  std::vector<std::thread> threads;
  for (std::size_t i = 1; i < workers_.size(); ++i) threads.emplace_back(run, i);
  run(0);
  for (std::thread& thread : threads) thread.join();
  double loss = 0;
  for (const Outcome& outcome : outcomes) {
    LONGTAIL_RETURN_IF_ERROR(outcome.status);
    loss += outcome.loss;
  }
  const double share = static_cast<double>(workers_.size()) / config_.workers;
  const double epochs = static_cast<double>(end - begin) / static_cast<double>(steps_of_epoch());
  return loss / (share * epochs * static_cast<double>(data_.train.size()));
}

}  // namespace longtail::examples::recommender
