#include "examples/ctr/ctr_trainer.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "examples/common/metrics/evaluator.h"
#include "examples/common/nn/batch_norm.h"
#include "examples/ctr/complete_config.h"
#include "examples/ctr/dense_state.h"
#include "examples/ctr/replica_scoring.h"
#include "examples/ctr/saved_rows.h"

namespace longtail::examples {
namespace {

constexpr std::size_t kSliceAlignment = 16;  // Floats of a cache line: no two threads share one.

std::string AheadState(std::size_t replica) {
  return absl::StrCat("ahead.", replica);
}

}  // namespace

CtrTrainer::CtrTrainer(const TrainConfig& config, TableId table, const ProcessPlace& place)
    : config_(config),
      table_(table),
      place_(place),
      first_worker_(place.FirstWorker(config.workers)),
      gemm_(MakeOpenBlasGemm()),
      read_(std::make_unique<TeamTask>([this] { ReadAhead(); })) {}

absl::StatusOr<std::unique_ptr<CtrTrainer>> CtrTrainer::Make(const TrainConfig& config,
                                                             const FeatureLayout& layout,
                                                             Cluster& cluster,
                                                             const ProcessPlace& place) {
  if (config.workers % place.count != 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        "workers ", config.workers, ": wanted a multiple of ", place.count, " processes"));
  }
  LONGTAIL_ASSIGN_OR_RETURN(const TrainConfig full, CompleteConfig(config, layout));
  LONGTAIL_ASSIGN_OR_RETURN(const TableId table, cluster.CreateTable(full.table));

  std::unique_ptr<CtrTrainer> trainer(new CtrTrainer(full, table, place));
  LONGTAIL_ASSIGN_OR_RETURN(trainer->shared_, MakeModelParameters(full.model, config.seed));
  ScaleWeights(config.dense_initial_scale, trainer->shared_.trained);
  LONGTAIL_ASSIGN_OR_RETURN(trainer->optimizer_,
                            DenseOptimizer::Make(full.dense, trainer->shared_.trained.layout()));
  const std::uint32_t replicas = place.WorkersHere(config.workers);
  const bool is_synchronous = cluster.options().step_mode == StepMode::kSynchronous;
  if (place.count > 1 && !is_synchronous) {
    LONGTAIL_ASSIGN_OR_RETURN(
        trainer->served_,
        ServedDense::Make(cluster, full.dense, trainer->shared_.trained.values()));
  }
  if (place.count > 1 && is_synchronous) {
    const ModelParameters& shared = trainer->shared_;
    LONGTAIL_ASSIGN_OR_RETURN(trainer->exchange_,
                              DenseExchange::Make(cluster, shared.trained.values().size(),
                                                  shared.state.values().size(), config.workers));
    trainer->state_updates_.resize(config.workers * shared.state.values().size());
  }
  trainer->team_ = std::make_unique<ThreadTeam>(replicas);
  for (std::uint32_t r = 0; r < replicas; ++r) {
    const std::uint32_t rank = trainer->first_worker_ + r;
    LONGTAIL_ASSIGN_OR_RETURN(auto worker, cluster.Connect(WorkerOptionsOf(config, rank)));
    trainer->team_gemms_.push_back(std::make_unique<TeamGemm>(*trainer->gemm_, *trainer->team_));
    LONGTAIL_ASSIGN_OR_RETURN(
        auto model, MakeModel(full.model, trainer->shared_, *trainer->team_gemms_.back()));
    trainer->replicas_.push_back(
        std::make_unique<Replica>(std::move(worker), table, std::move(model), config.backoff));
    Replica& replica = *trainer->replicas_.back();
    if (trainer->exchange_ != nullptr) replica.SendDenseTo(*trainer->exchange_, rank);
    if (trainer->served_ != nullptr) replica.SendDenseTo(*trainer->served_);
    trainer->prepare_.push_back(std::make_unique<TeamTask>([t = trainer.get(), r] {
      t->prepared_[r] = t->replicas_[r]->Prepare(t->slots_[r][t->ahead_]);
    }));
  }
  trainer->slots_.resize(replicas);
  trainer->sizes_.resize(config.workers);
  trainer->saved_rows_.resize(replicas);
  trainer->prepared_.resize(replicas);
  return trainer;
}

CtrTrainer::~CtrTrainer() {
  PushLast().IgnoreError();  // Whoever wants to know flushes.
}

absl::Status CtrTrainer::BeginEpoch(std::uint64_t epoch, NextBatch next) {
  LONGTAIL_RETURN_IF_ERROR(Flush());
  is_first_pass_ = epoch == 0;
  next_ = std::move(next);
  at_end_ = false;
  is_ahead_ = false;
  ahead_status_ = absl::OkStatus();
  current_ = 0;
  LONGTAIL_RETURN_IF_ERROR(Read(current_));
  if (totals_[current_] == 0) return absl::OkStatus();
  LONGTAIL_RETURN_IF_ERROR(team_->Run([&](std::uint32_t member) {
    ReplicaSlot& slot = slots_[member][current_];
    absl::Status status = replicas_[member]->Prepare(slot);
    if (status.ok()) status = replicas_[member]->BeginPull(slot, Replica::Counts::kNo, 0);
    return status;
  }));
  return UseSavedRows(current_);
}

// Reads a global batch: into the slots of the replicas, and past those of other processes.
absl::Status CtrTrainer::Read(std::size_t slot) {
  totals_[slot] = 0;
  std::size_t total = 0;
  for (std::uint32_t worker = 0; worker < sizes_.size(); ++worker) {
    const std::uint32_t replica = worker - first_worker_;  // Wraps around below the first.
    Batch& batch = replica < slots_.size() ? slots_[replica][slot].batch : skipped_;
    if (at_end_) {
      batch.Clear();
      batch.offsets.push_back(0);
    } else {
      LONGTAIL_RETURN_IF_ERROR(next_(batch));
      at_end_ = batch.size == 0;
    }
    sizes_[worker][slot] = batch.size;
    total += batch.size;
  }
  totals_[slot] = total;
  return absl::OkStatus();
}

// In whichever thread: reads, and lets the replicas' batches be prepared.
void CtrTrainer::ReadAhead() {
  ahead_status_ = Read(ahead_);
  if (totals_[ahead_] == 0) return;
  for (const auto& prepare : prepare_) team_->Post(*prepare);
}

// A step ends with this: nothing is read or prepared between two of them.
absl::Status CtrTrainer::FinishPrepare(std::uint32_t member) {
  if (!is_ahead_ || totals_[ahead_] == 0) return absl::OkStatus();
  team_->Finish(*prepare_[member]);
  return prepared_[member];
}

absl::StatusOr<StepResult> CtrTrainer::Step() {
  if (totals_[current_] == 0) return StepResult{.step = step_};
  if (!is_ahead_) {  // The first of an epoch, or after one that could not read.
    ahead_ = After(current_);
    is_ahead_ = true;
    ReadAhead();
    ahead_status_.Update(team_->Run([&](std::uint32_t member) { return FinishPrepare(member); }));
  }
  is_ahead_ = false;
  LONGTAIL_RETURN_IF_ERROR(std::exchange(ahead_status_, absl::OkStatus()));
  const GradientScales scales = GradientScalesOf(config_, totals_[current_]);
  const ReplicaStep step{.seed = config_.seed,
                         .step = step_,
                         .gradient_scale = scales.examples,
                         .learning_rate_factor = config_.schedule.Factor(step_),
                         .counts_occurrences = is_first_pass_};
  gradient_factor_ = scales.dense;
  LONGTAIL_RETURN_IF_ERROR(RefreshDense());
  ahead_ = After(After(current_));
  is_ahead_ = totals_[After(current_)] != 0;
  absl::Status status = TrainAll(step);
  if (is_ahead_) team_->Finish(*read_);
  if (status.ok() && exchange_ != nullptr) status = SumDense(step_);
  const bool moves = status.ok() && served_ == nullptr;
  if (moves) optimizer_->BeginStep(step.learning_rate_factor);
  const absl::Status prepared = team_->Run([&](std::uint32_t member) {
    if (moves) MoveDense(member);
    return FinishPrepare(member);
  });
  LONGTAIL_RETURN_IF_ERROR(status);
  ahead_status_.Update(prepared);
  StepResult result{
      .step = ++step_, .size = totals_[current_], .size_here = 0, .rows_here = 0, .loss_sum = 0};
  for (std::size_t r = 0; r < replicas_.size(); ++r) {
    result.size_here += slots_[r][current_].batch.size;
    result.rows_here += slots_[r][current_].keys.unique_size();
    result.loss_sum += replicas_[r]->loss_sum();
  }
  MixStatistics();
  current_ = After(current_);
  return result;
}

// Every replica pushes its last step, pulls for the next one and computes this one.
absl::Status CtrTrainer::TrainAll(const ReplicaStep& step) {
  std::vector<std::size_t> first_examples(sizes_.size(), 0);
  for (std::size_t w = 1; w < sizes_.size(); ++w) {
    first_examples[w] = first_examples[w - 1] + sizes_[w - 1][current_];
  }
  const bool has_next = totals_[After(current_)] != 0;
  const bool has_push = std::exchange(has_push_, false);
  // The lane that a push wakes often takes the core of whoever pushed. At the end of a step the
  // others would wait for him; at the beginning of the next one they do not. But exact rows, and
  // dense parameters that the cluster has a part in, come of this step's push.
  const bool pushes_later = config_.prefetch == 1 && exchange_ == nullptr && served_ == nullptr;
  const auto train = [&](std::uint32_t member) -> absl::Status {
    Replica& replica = *replicas_[member];
    std::array<ReplicaSlot, kSlots>& slots = slots_[member];
    ReplicaSlot& next = slots[After(current_)];
    if (member == 0 && is_ahead_) team_->Post(*read_);
    ReplicaStep mine = step;
    mine.first_example = first_examples[first_worker_ + member];
    mine.dense_gradient_scale = gradient_factor_;
    if (has_push) LONGTAIL_RETURN_IF_ERROR(replica.Push(slots[last()], last_step_));
    if (has_next && config_.prefetch == 1) {
      LONGTAIL_RETURN_IF_ERROR(replica.BeginPull(next, Replica::Counts::kNo, 1));
    }
    LONGTAIL_RETURN_IF_ERROR(replica.FinishPull(slots[current_]));
    LONGTAIL_RETURN_IF_ERROR(replica.Train(slots[current_], mine));
    if (pushes_later) return absl::OkStatus();
    LONGTAIL_RETURN_IF_ERROR(replica.Push(slots[current_], mine));
    if (has_next && config_.prefetch == 0) {  // Exact, and under way while the dense half moves.
      return replica.BeginPull(next, Replica::Counts::kNo, 0);
    }
    return absl::OkStatus();
  };
  LONGTAIL_RETURN_IF_ERROR(team_->Run(train));
  has_push_ = pushes_later;
  last_step_ = step;
  return absl::OkStatus();
}

absl::Status CtrTrainer::PushLast() {
  if (!std::exchange(has_push_, false)) return absl::OkStatus();
  return team_->Run([&](std::uint32_t member) {
    return replicas_[member]->Push(slots_[member][last()], last_step_);
  });
}

// The running statistics follow every replica that had examples, in the order of ranks.
void CtrTrainer::MixStatistics() {
  const std::size_t size = shared_.state.values().size();
  if (size == 0) return;
  // Without an exchange a process knows of its own replicas alone.
  const std::size_t first = exchange_ == nullptr ? first_worker_ : 0;
  const std::size_t count = exchange_ == nullptr ? replicas_.size() : sizes_.size();
  for (std::size_t w = first; w < first + count; ++w) {
    if (sizes_[w][current_] == 0) continue;
    const std::span<const float> update =
        exchange_ == nullptr ? replicas_[w - first]->model().state_update()
                             : std::span<const float>(state_updates_).subspan(w * size, size);
    MixRunningStatistics(update, kRunningStatisticsMomentum, shared_.state.values());
  }
}

// Puts the sum over all processes where the first replica's gradients are.
absl::Status CtrTrainer::SumDense(std::uint64_t step) {
  return exchange_->Pull(replicas_[0]->worker(), step, replicas_[0]->parameter_gradients(),
                         state_updates_);
}

// Sums the replicas' gradients of one slice, in their order, and moves it.
void CtrTrainer::MoveDense(std::uint32_t member) {
  const std::size_t size = shared_.trained.values().size();
  const std::size_t lines = (size + kSliceAlignment - 1) / kSliceAlignment;
  const std::size_t begin = std::min(size, lines * member / team_->size() * kSliceAlignment);
  const std::size_t end = std::min(size, lines * (member + 1) / team_->size() * kSliceAlignment);
  const std::span<float> sum = replicas_[0]->parameter_gradients();
  for (std::size_t r = 1; exchange_ == nullptr && r < replicas_.size(); ++r) {
    const std::span<const float> more = replicas_[r]->parameter_gradients();
    for (std::size_t i = begin; i < end; ++i) sum[i] += more[i];
  }
  if (gradient_factor_ != 1.0F) {
    for (std::size_t i = begin; i < end; ++i) sum[i] *= gradient_factor_;
  }
  optimizer_->Update({begin, end}, sum, shared_.trained.values());
}

absl::Status CtrTrainer::Flush() {
  LONGTAIL_RETURN_IF_ERROR(PushLast());
  for (std::size_t r = 0; r < replicas_.size(); ++r) {
    LONGTAIL_RETURN_IF_ERROR(replicas_[r]->Flush());
    // The next step's rows are on their way; who saves them must have them.
    if (totals_[current_] != 0) {
      LONGTAIL_RETURN_IF_ERROR(replicas_[r]->FinishPull(slots_[r][current_]));
    }
  }
  return absl::OkStatus();
}

absl::Status CtrTrainer::RefreshDense() {
  if (served_ == nullptr) return absl::OkStatus();
  return served_->Pull(replicas_[0]->worker(), shared_.trained.values());
}

absl::Status CtrTrainer::PullAgain() {
  LONGTAIL_RETURN_IF_ERROR(PushLast());
  if (totals_[current_] == 0) return absl::OkStatus();
  for (std::size_t r = 0; r < replicas_.size(); ++r) {
    LONGTAIL_RETURN_IF_ERROR(replicas_[r]->BeginPull(slots_[r][current_], Replica::Counts::kNo, 0));
    LONGTAIL_RETURN_IF_ERROR(replicas_[r]->FinishPull(slots_[r][current_]));
  }
  return absl::OkStatus();
}

absl::Status CtrTrainer::Score(Batch& batch, std::optional<std::uint32_t> field, Scores& scores) {
  LONGTAIL_RETURN_IF_ERROR(PushLast());
  return ScoreBatch(*replicas_[0], scoring_, batch, field, scores);
}

WorkerStatistics CtrTrainer::statistics() const {
  WorkerStatistics sum;
  for (const auto& replica : replicas_) sum += replica->statistics();
  return sum;
}

void CtrTrainer::ForEachLogit(absl::FunctionRef<void(float label, float logit)> visit) const {
  for (std::size_t r = 0; r < replicas_.size(); ++r) {
    const Batch& batch = slots_[r][last()].batch;
    for (std::size_t i = 0; i < batch.size; ++i) {
      visit(batch.labels[i], replicas_[r]->logits()[i]);
    }
  }
}

TrainerState CtrTrainer::Save() const {
  TrainerState state;
  SaveDense(shared_, *optimizer_, step_, state);
  if (totals_[current_] == 0 || place_.count > 1) return state;
  for (std::size_t r = 0; r < replicas_.size(); ++r) {
    const ReplicaSlot& slot = slots_[r][current_];
    state[AheadState(r)] =
        EncodeRows(slot.keys.keys(), slot.rows, slot.counts, replicas_[r]->model().row_dim());
  }
  return state;
}

absl::Status CtrTrainer::Restore(const TrainerState& state) {
  LONGTAIL_RETURN_IF_ERROR(RestoreDense(state, shared_, *optimizer_, step_));
  for (std::size_t r = 0; r < replicas_.size(); ++r) {
    const auto ahead = state.find(AheadState(r));
    saved_rows_[r] = ahead == state.end() ? std::string() : ahead->second;
  }
  return absl::OkStatus();
}

// A resumed step computes with the rows that were pulled for it before the state was saved.
absl::Status CtrTrainer::UseSavedRows(std::size_t slot) {
  for (std::size_t r = 0; r < replicas_.size(); ++r) {
    const std::string saved = std::exchange(saved_rows_[r], {});
    if (saved.empty()) continue;
    LONGTAIL_RETURN_IF_ERROR(replicas_[r]->FinishPull(slots_[r][slot]));
    LONGTAIL_RETURN_IF_ERROR(DecodeRows(saved, slots_[r][slot].keys.keys(),
                                        replicas_[r]->model().row_dim(), slots_[r][slot].rows,
                                        slots_[r][slot].counts));
  }
  return absl::OkStatus();
}

}  // namespace longtail::examples
