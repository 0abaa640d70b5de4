#include "examples/ctr/training_run.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/status_macros.h"
#include "examples/common/metrics/streaming_auc.h"
#include "examples/common/nn/gemm.h"
#include "examples/common/report/report_html.h"
#include "examples/common/report/report_json.h"
#include "examples/common/report/result_table.h"
#include "examples/ctr/config_text.h"
#include "examples/ctr/count_threshold.h"
#include "examples/ctr/ctr_trainer.h"
#include "examples/ctr/data_streams.h"
#include "examples/ctr/device/device_trainer.h"
#include "examples/ctr/scoring.h"
#include "examples/ctr/training_pages.h"
#include "examples/ctr/training_position.h"
#include "longtail/cluster.h"

namespace longtail::examples {
namespace {

// Of one checkpoint: lanes move, one after the other, while it is saved.
constexpr int kCheckpointAttemptsMax = 20;
constexpr absl::Duration kCheckpointPause = absl::Milliseconds(300);

std::chrono::milliseconds Milliseconds(double seconds) {
  return std::chrono::milliseconds(std::llround(seconds * 1e3));
}

using Clock = std::chrono::steady_clock;

double Seconds(Clock::time_point since) {
  return std::chrono::duration<double>(Clock::now() - since).count();
}

// Statistics read every row: not more often than this.
constexpr double kStatisticsInterval = 2.0;

// What pages show is so old at the most, while steps are short.
constexpr double kShownInterval = 0.25;

// Points of the training curve an epoch, at the least.
constexpr std::uint64_t kCurveSteps = 50;

// Others wait for so long while the first process evaluates or saves.
constexpr std::chrono::minutes kMeetTimeout{60};

const char* StepModeText(StepMode mode) {
  return mode == StepMode::kSynchronous ? "synchronous" : "asynchronous";
}

absl::Status WriteFile(const std::filesystem::path& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << text;
  file.flush();
  if (file) return absl::OkStatus();
  return absl::UnavailableError(
      absl::StrCat("'", path.string(), "': cannot be written; is the disk full?"));
}

// What is in a store; in one that is not there yet, nothing.
absl::StatusOr<std::vector<CheckpointInfo>> SavedIn(const std::string& store) {
  absl::StatusOr<std::vector<CheckpointInfo>> saved = ListCheckpoints(store);
  if (absl::IsNotFound(saved.status())) return std::vector<CheckpointInfo>();
  return saved;
}

// Memory that rows take: not what slabs have reserved and not touched.
std::uint64_t UsedBytes(const TableStatistics& table) {
  return table.bytes() - table.free_bytes;
}

// What of a run goes on from one part to the next.
class TrainingRun {
 public:
  TrainingRun(const RunOptions& options, std::ostream& out)
      : options_(options), out_(out), began_(Clock::now()) {}

  absl::StatusOr<RunReport> Run() {
    LONGTAIL_RETURN_IF_ERROR(Open());
    for (; position_.epoch < options_.config.epochs && !is_stopped_;) {
      LONGTAIL_RETURN_IF_ERROR(TrainEpoch());
    }
    report_.train_seconds = Seconds(train_began_);
    NoteTraffic();
    NoteProgress();
    NoteStage("has trained");
    if (const std::uint64_t lost = cluster_->unaudited_evictions(); lost != 0) {
      progress_->Note(absl::StrCat(lost, " evictions are missing in the audit"));
    }
    progress_->Finish(state_, Clock::now());
    LONGTAIL_ASSIGN_OR_RETURN(const std::string note, trainer_->Conclude());
    if (!note.empty() && options_.progress.mode != ProgressMode::kJson) out_ << note << "\n";
    LONGTAIL_RETURN_IF_ERROR(SaveCheckpoint());
    if (!IsFirst()) {  // The first process evaluates: the servers' rows are all there.
      LONGTAIL_RETURN_IF_ERROR(Meet());
      return std::move(report_);
    }
    if (is_stopped_) {
      out_ << "Stopped after " << steps_here_ << " steps; resume with --resume.\n";
      LONGTAIL_RETURN_IF_ERROR(Meet());
      return std::move(report_);
    }
    LONGTAIL_RETURN_IF_ERROR(Evaluate());
    LONGTAIL_RETURN_IF_ERROR(Finish());
    LONGTAIL_RETURN_IF_ERROR(Meet());
    return std::move(report_);
  }

 private:
  absl::Status Open();
  absl::Status OpenCluster();
  absl::Status JoinCluster(const std::string& store);
  absl::Status MakeTrainer();
  absl::Status TrainEpoch();
  absl::Status AfterStep(const StepResult& step);
  absl::Status UpdateStatistics();
  absl::Status Validate(CurvePoint& point);
  absl::Status SaveCheckpoint();
  absl::Status WriteCheckpoint();
  absl::Status Evaluate();
  absl::Status Finish();
  void AddCurvePoint();
  void NoteTraffic();
  void NoteStage(std::string stage) {
    if (pages_ != nullptr) pages_->NoteStage(std::move(stage));
  }
  void NoteProgress();
  std::uint64_t NextPause() const;
  bool IsFirst() const { return options_.process.index == 0; }
  // Waits until every process is at this point of the training.
  absl::Status Meet();
  const CountThreshold* Threshold() const { return threshold_ ? &*threshold_ : nullptr; }

  const RunOptions& options_;
  std::ostream& out_;
  const Clock::time_point began_;
  Clock::time_point train_began_;
  Clock::time_point statistics_at_;
  Clock::time_point shown_at_;
  std::unique_ptr<DataStreams> data_;
  std::optional<CountThreshold> threshold_;
  std::unique_ptr<Cluster> cluster_;
  std::unique_ptr<Trainer> trainer_;
  std::unique_ptr<ProgressLine> progress_;
  std::unique_ptr<TrainingPages> pages_;  // Null: none are wanted.
  ProgressState state_;
  StreamingAuc auc_;
  TableStatistics table_;
  TrainingPosition position_;
  RunReport report_;
  double window_loss_ = 0;  // Since the last curve point.
  std::uint64_t window_size_ = 0;
  double window_began_ = 0;
  std::uint64_t epoch_size_ = 0;  // Examples of a pass, once one is done.
  std::uint64_t steps_here_ = 0;
  std::uint64_t samples_here_ = 0;
  std::uint64_t rows_here_ = 0;
  std::uint64_t meetings_ = 0;
  bool is_stopped_ = false;
  bool statistics_failed_ = false;
};

absl::Status TrainingRun::Open() {
  const TrainConfig& config = options_.config;
  if (!options_.admin.empty()) {
    LONGTAIL_ASSIGN_OR_RETURN(pages_, TrainingPages::Show(options_.admin));
    out_ << "Pages: http://" << pages_->address() << "/metrics\n";
  }
  NoteStage("reads its data");
  LONGTAIL_ASSIGN_OR_RETURN(DataStreams data, DataStreams::Open(config.data, options_.on_bad_line));
  data_ = std::make_unique<DataStreams>(std::move(data));
  report_.title = config.title;
  report_.command_line = options_.command_line;
  report_.started_utc = absl::FormatTime("%Y-%m-%d %H:%M:%S", absl::Now(), absl::UTCTimeZone());
  report_.settings = SettingsOf(config);
  report_.environment = CollectEnvironment(absl::StrCat("OpenBLAS, ", OpenBlasCoreName()));
  report_.field_name = config.data.frequency_field;
  report_.data = {
      {"source", config.data.synthetic ? "synthetic, of a known model" : config.data.schema},
      {"categorical fields", absl::StrCat(data_->layout().field_count())},
      {"numbers", absl::StrCat(data_->layout().numeric_count())}};
  if (config.data.min_count != 0) {
    LONGTAIL_ASSIGN_OR_RETURN(const auto batches, data_->Score(config.data.train, config.batch));
    LONGTAIL_ASSIGN_OR_RETURN(threshold_, CountThreshold::Make(config.data.min_count, *batches));
  }
  NoteStage(options_.cluster.empty() ? "opens its cluster"
                                     : absl::StrCat("joins the cluster of ", options_.cluster));
  LONGTAIL_RETURN_IF_ERROR(OpenCluster());
  NoteStage("");
  progress_ = std::make_unique<ProgressLine>(out_, options_.progress, Clock::now());
  train_began_ = Clock::now();
  return absl::OkStatus();
}

absl::Status TrainingRun::Meet() {
  if (options_.process.count == 1) return absl::OkStatus();
  return cluster_->Barrier(absl::StrCat("ctr-", meetings_++), options_.process.count, kMeetTimeout);
}

// The newest of them that a training may go on from: of those saved before the cluster was rolled
// back, the one that it was rolled back to.
std::optional<CheckpointInfo> NewestOf(const std::vector<CheckpointInfo>& saved,
                                       const std::optional<RollbackInfo>& rollback) {
  std::optional<CheckpointInfo> newest;
  for (const CheckpointInfo& info : saved) {
    if (rollback && info.name.name != rollback->name && info.created_at <= rollback->at) continue;
    if (!newest || info.step > newest->step) newest = info;
  }
  return newest;
}

// Opens a cluster of servers; with --resume the first process brings a checkpoint there, or has a
// cluster that trained already go back to it.
absl::Status TrainingRun::JoinCluster(const std::string& store) {
  const TrainConfig& config = options_.config;
  LONGTAIL_ASSIGN_OR_RETURN(
      cluster_,
      Cluster::Remote({.coordinator = options_.cluster,
                       .store = store,
                       .join_timeout = Milliseconds(options_.join_timeout_seconds),
                       .checkpoint_timeout = Milliseconds(options_.checkpoint_timeout_seconds)}));
  const ClusterOptions& there = cluster_->options();
  if (there.step_mode != config.step_mode || there.workers != config.workers) {
    return absl::FailedPreconditionError(absl::StrCat(
        "cluster '", options_.cluster, "' is for ", there.workers, " workers, ",
        StepModeText(there.step_mode), ": the config wants ", config.workers, ", ",
        StepModeText(config.step_mode), "; start the coordinator with --workers and --step-mode"));
  }
  std::optional<CheckpointInfo> newest;
  if (options_.resume) {
    LONGTAIL_ASSIGN_OR_RETURN(const std::vector<CheckpointInfo> saved, SavedIn(store));
    newest = NewestOf(saved, cluster_->last_rollback());
  }
  TrainerState state;
  if (newest) {
    LONGTAIL_ASSIGN_OR_RETURN(state, ReadTrainerState(newest->name));
    LONGTAIL_ASSIGN_OR_RETURN(position_, LoadPosition(state, ResumeSettings(config)));
    if (IsFirst()) {
      absl::Status loaded = cluster_->Load(newest->name);
      if (absl::IsAlreadyExists(loaded)) loaded = cluster_->RollBack(newest->name.name);
      LONGTAIL_RETURN_IF_ERROR(loaded);
    }
    LONGTAIL_RETURN_IF_ERROR(Meet());
  }
  LONGTAIL_RETURN_IF_ERROR(MakeTrainer());
  if (!newest) return absl::OkStatus();
  LONGTAIL_RETURN_IF_ERROR(trainer_->Restore(state));
  out_ << "Resumed from " << AddressOf(newest->name) << " at step " << trainer_->step() << ".\n";
  return absl::OkStatus();
}

absl::Status TrainingRun::OpenCluster() {
  const TrainConfig& config = options_.config;
  const std::string store = options_.store.empty() ? options_.out + "/checkpoints" : options_.store;
  if (!options_.cluster.empty()) return JoinCluster(store);
  if (options_.process.count > 1) {
    return absl::InvalidArgumentError(absl::StrCat(
        options_.process.count, " processes: wanted a cluster that they share (--cluster)"));
  }
  const ClusterOptions cluster{
      .lanes = config.lanes,
      .partitions = config.partitions,
      .step_mode = config.step_mode,
      .staleness = config.staleness,
      .workers = config.workers,
      .store = store,
      .eviction_audit = config.audit_evictions ? options_.out + "/evictions" : ""};
  LONGTAIL_ASSIGN_OR_RETURN(const std::vector<CheckpointInfo> there, SavedIn(store));
  if (!options_.resume && !there.empty()) {
    return absl::AlreadyExistsError(absl::StrCat(
        "'", options_.store.empty() ? options_.out : options_.store, "' holds the training '",
        there.back().name.name, "' already: want another ",
        options_.store.empty() ? "--out" : "--store", ", or --resume to go on with it"));
  }
  if (there.empty()) {
    LONGTAIL_ASSIGN_OR_RETURN(cluster_, Cluster::Embedded(cluster));
    return MakeTrainer();
  }
  const auto newest = std::ranges::max_element(there, {}, &CheckpointInfo::step);
  LONGTAIL_ASSIGN_OR_RETURN(const TrainerState state, ReadTrainerState(newest->name));
  LONGTAIL_ASSIGN_OR_RETURN(position_, LoadPosition(state, ResumeSettings(config)));
  LONGTAIL_ASSIGN_OR_RETURN(cluster_, Cluster::Restore(cluster, newest->name));
  LONGTAIL_RETURN_IF_ERROR(MakeTrainer());
  LONGTAIL_RETURN_IF_ERROR(trainer_->Restore(state));
  out_ << "Resumed from " << AddressOf(newest->name) << " at step " << trainer_->step() << ".\n";
  return absl::OkStatus();
}

absl::Status TrainingRun::MakeTrainer() {
  const TrainConfig& config = options_.config;
  if (config.device.name.empty()) {
    LONGTAIL_ASSIGN_OR_RETURN(
        trainer_, CtrTrainer::Make(config, data_->layout(), *cluster_, options_.process));
    return absl::OkStatus();
  }
  LONGTAIL_ASSIGN_OR_RETURN(
      auto trainer, DeviceTrainer::Make(config, data_->layout(), *cluster_, options_.process));
  if (options_.progress.mode != ProgressMode::kJson) out_ << trainer->sentence() << "\n";
  trainer_ = std::move(trainer);
  return absl::OkStatus();
}

// The next step that a checkpoint, or the end, comes behind.
std::uint64_t TrainingRun::NextPause() const {
  const std::uint64_t step = trainer_->step();
  std::uint64_t pause = std::numeric_limits<std::uint64_t>::max();
  if (const std::uint64_t every = options_.checkpoint_every; every != 0) {
    pause = (step / every + 1) * every;
  }
  if (options_.stop_after != 0) pause = std::min(pause, step + options_.stop_after - steps_here_);
  return pause;
}

absl::Status TrainingRun::TrainEpoch() {
  const TrainConfig& config = options_.config;
  const std::size_t micro_batch = config.batch / config.workers;
  LONGTAIL_ASSIGN_OR_RETURN(
      const std::unique_ptr<BatchPipeline> batches,
      data_->Train(config.seed, position_.epoch, micro_batch, position_.examples));
  const auto next = [&](Batch& batch) -> absl::Status {
    LONGTAIL_RETURN_IF_ERROR(batches->Next(batch));
    if (threshold_) threshold_->Apply(batch);
    return absl::OkStatus();
  };
  LONGTAIL_RETURN_IF_ERROR(trainer_->BeginEpoch(position_.epoch, next));
  for (;;) {
    trainer_->PauseBehind(NextPause());
    LONGTAIL_ASSIGN_OR_RETURN(const StepResult step, trainer_->Step());
    if (step.size == 0) break;
    LONGTAIL_RETURN_IF_ERROR(AfterStep(step));
    if (is_stopped_) return absl::OkStatus();
  }
  epoch_size_ = position_.examples;
  position_.examples = 0;
  ++position_.epoch;
  LONGTAIL_RETURN_IF_ERROR(trainer_->Flush());
  LONGTAIL_RETURN_IF_ERROR(Meet());
  LONGTAIL_RETURN_IF_ERROR(trainer_->RefreshDense());
  if (!IsFirst()) return Meet();
  LONGTAIL_RETURN_IF_ERROR(UpdateStatistics());
  AddCurvePoint();
  if (!report_.curve.empty() && !config.data.validation.empty() && epoch_size_ != 0) {
    LONGTAIL_RETURN_IF_ERROR(Validate(report_.curve.back()));
  }
  return Meet();
}

absl::Status TrainingRun::AfterStep(const StepResult& step) {
  position_.examples += step.size;
  position_.samples_trained += step.size;
  window_loss_ += step.loss_sum;
  window_size_ += step.size_here;
  samples_here_ += step.size_here;
  rows_here_ += step.rows_here;
  trainer_->ForEachLogit([&](float label, float logit) { auc_.Add(label > 0.5F, logit); });
  const Clock::time_point now = Clock::now();
  if (IsFirst() &&
      std::chrono::duration<double>(now - statistics_at_).count() > kStatisticsInterval) {
    LONGTAIL_RETURN_IF_ERROR(UpdateStatistics());
  }
  state_.samples_seen = position_.samples_trained;
  if (epoch_size_ != 0) state_.samples_total = epoch_size_ * options_.config.epochs;
  if (options_.config.data.synthetic) {
    state_.samples_total = options_.config.data.synthetic->train * options_.config.epochs;
  }
  if (window_size_ != 0) state_.loss = window_loss_ / static_cast<double>(window_size_);
  state_.auc = auc_.Value();
  const TrainConfig& config = options_.config;
  state_.in_flight =
      config.device.name.empty() ? config.workers * (1 + config.prefetch) : config.device.depth;
  progress_->Update(state_, now);
  ++steps_here_;
  if (std::chrono::duration<double>(now - shown_at_).count() > kShownInterval) NoteProgress();
  if (steps_here_ % kCurveSteps == 0) AddCurvePoint();
  is_stopped_ = options_.stop_after != 0 && steps_here_ == options_.stop_after;
  if (!is_stopped_ && options_.checkpoint_every != 0 &&
      step.step % options_.checkpoint_every == 0) {
    LONGTAIL_RETURN_IF_ERROR(SaveCheckpoint());
  }
  return absl::OkStatus();
}

absl::Status TrainingRun::UpdateStatistics() {
  LONGTAIL_ASSIGN_OR_RETURN(std::vector<TableReport> tables, cluster_->AllStatistics());
  const absl::Status written =
      WriteStatisticsFile(options_.out + "/statistics.json", trainer_->step(), tables);
  if (!written.ok() && !statistics_failed_) {  // They are for onlookers: the training goes on.
    progress_->Note(absl::StrCat("no statistics.json: ", std::string(written.message())));
  }
  statistics_failed_ = !written.ok();
  table_ = std::move(tables[static_cast<std::size_t>(trainer_->table())].statistics);
  statistics_at_ = Clock::now();
  state_.row_count = table_.rows;
  state_.memory_bytes = UsedBytes(table_);
  return absl::OkStatus();
}

void TrainingRun::AddCurvePoint() {
  if (window_size_ == 0) return;
  const double seconds = Seconds(train_began_);
  report_.curve.push_back(
      {.samples_seen = position_.samples_trained,
       .seconds = seconds,
       .train_loss = window_loss_ / static_cast<double>(window_size_),
       .streaming_auc = auc_.Value(),
       .samples_per_second = static_cast<double>(window_size_) / (seconds - window_began_),
       .row_count = table_.rows,
       .memory_bytes = UsedBytes(table_)});
  window_loss_ = 0;
  window_size_ = 0;
  window_began_ = seconds;
  auc_.Clear();
}

void TrainingRun::NoteProgress() {
  shown_at_ = Clock::now();
  if (pages_ == nullptr) return;
  pages_->NoteProgress({.samples = samples_here_,
                        .steps = steps_here_,
                        .rows_pulled = rows_here_,
                        .step = trainer_->step(),
                        .epoch = position_.epoch,
                        .loss = state_.loss,
                        .auc = state_.auc,
                        .workers = trainer_->statistics()});
}

void TrainingRun::NoteTraffic() {
  const WorkerStatistics workers = trainer_->statistics();
  report_.wire = {.steps = steps_here_,
                  .bytes_sent = workers.bytes_sent,
                  .bytes_received = workers.bytes_received,
                  .key_bytes_sent = workers.key_bytes_sent,
                  .value_bytes_sent = workers.value_bytes_sent,
                  .value_bytes_received = workers.value_bytes_received};
  report_.row_cache = {.rows_served = workers.cache_rows_served,
                       .rows_missed = workers.cache_rows_missed,
                       .rows_evicted = workers.cache_rows_evicted,
                       .bytes = workers.cache_bytes};
}

absl::Status TrainingRun::Validate(CurvePoint& point) {
  const Clock::time_point began = Clock::now();
  LONGTAIL_RETURN_IF_ERROR(trainer_->Flush());
  LONGTAIL_ASSIGN_OR_RETURN(const auto batches,
                            data_->Score(options_.config.data.validation,
                                         options_.config.batch / options_.config.workers));
  LONGTAIL_ASSIGN_OR_RETURN(const Evaluation evaluation,
                            ScoreAll(*trainer_, *batches, {.threshold = Threshold()}));
  if (pages_ != nullptr) pages_->NoteEvaluation(options_.config.data.validation, evaluation);
  point.validation_auc = evaluation.overall.auc;
  point.validation_logloss = evaluation.overall.logloss;
  progress_->Note(absl::StrCat(
      "epoch ", position_.epoch, " of ", options_.config.epochs, ": validation AUC ",
      MetricText(evaluation.overall.auc, evaluation.overall.example_count, 5), ", logloss ",
      MetricText(evaluation.overall.logloss, evaluation.overall.example_count, 5)));
  // Time spent here is not training's.
  const auto spent = Clock::now() - began;
  train_began_ += spent;
  return absl::OkStatus();
}

absl::Status TrainingRun::SaveCheckpoint() {
  LONGTAIL_RETURN_IF_ERROR(trainer_->Flush());
  LONGTAIL_RETURN_IF_ERROR(Meet());
  LONGTAIL_RETURN_IF_ERROR(trainer_->RefreshDense());
  if (IsFirst()) LONGTAIL_RETURN_IF_ERROR(WriteCheckpoint());
  LONGTAIL_RETURN_IF_ERROR(Meet());
  // Only the first process saves what it has, so all go on as a resumed training would.
  return options_.process.count == 1 ? absl::OkStatus() : trainer_->PullAgain();
}

absl::Status TrainingRun::WriteCheckpoint() {
  TrainerState state = trainer_->Save();
  SavePosition(position_, ResumeSettings(options_.config), state);
  std::string name = absl::StrFormat("step-%08d", trainer_->step());
  // Behind a rollback the names of what is not wanted any more may be taken.
  if (const auto rollback = cluster_->last_rollback()) {
    absl::StrAppend(&name, "-r", rollback->number);
  }
  for (int attempt = 1;; ++attempt) {
    const std::string tried = attempt == 1 ? name : absl::StrCat(name, "-a", attempt);
    const auto saved =
        cluster_->Checkpoint(tried, state, {.increments_max = options_.checkpoint_increments});
    if (saved.ok()) {
      report_.checkpoint_path = AddressOf(saved->name);
      return absl::OkStatus();
    }
    if (absl::IsAlreadyExists(saved.status())) return absl::OkStatus();  // Resumed at its end.
    // A lane went to another server meanwhile: what was begun is not written over. Where one that
    // was given up goes on, it ends soon.
    const bool may_end_well = absl::IsAborted(saved.status()) ||
                              (attempt > 1 && absl::IsFailedPrecondition(saved.status()));
    if (!may_end_well || attempt == kCheckpointAttemptsMax) return saved.status();
    absl::SleepFor(kCheckpointPause);
  }
}

absl::Status TrainingRun::Evaluate() {
  const DataConfig& data = options_.config.data;
  std::vector<std::string> names;
  if (!data.validation.empty()) names.push_back(data.validation);
  if (!data.test.empty()) names.push_back(data.test);
  for (const std::string& name : names) {
    const Clock::time_point began = Clock::now();
    LONGTAIL_ASSIGN_OR_RETURN(const auto batches,
                              data_->Score(name, options_.config.batch / options_.config.workers));
    std::ofstream predictions;
    if (name == names.back()) {
      predictions.open(options_.out + "/predictions.csv", std::ios::binary | std::ios::trunc);
      predictions << "example,label,probability\n";
    }
    LONGTAIL_ASSIGN_OR_RETURN(
        Evaluation evaluation,
        ScoreAll(*trainer_, *batches,
                 {.frequency_field = data_->frequency_field(),
                  .predictions = name == names.back() ? &predictions : nullptr,
                  .threshold = Threshold()}));
    if (pages_ != nullptr) pages_->NoteEvaluation(name, evaluation);
    report_.splits.push_back(
        {.name = name, .evaluation = std::move(evaluation), .seconds = Seconds(began)});
    report_.phases.push_back({.name = "scoring " + name, .seconds = Seconds(began)});
  }
  return absl::OkStatus();
}

absl::Status TrainingRun::Finish() {
  LONGTAIL_RETURN_IF_ERROR(UpdateStatistics());
  for (const auto& [count, rows] : table_.rows_by_count) {
    report_.rank_frequency.push_back({.count = count, .row_count = rows});
    BucketSize& bucket = report_.rows_by_bucket[IndexOf(BucketOf(count))];
    bucket.row_count += rows;
    bucket.bytes += rows * (UsedBytes(table_) / std::max<std::uint64_t>(1, table_.rows));
  }
  report_.memory = {.weight_bytes = table_.weight_bytes,
                    .state_bytes = table_.state_bytes,
                    .header_bytes = table_.header_bytes,
                    .index_bytes = table_.index_bytes};
  report_.samples_trained = position_.samples_trained;
  const auto pulls = trainer_->statistics().pulls_by_staleness;
  report_.pulls_by_staleness.assign(pulls.begin(), pulls.end());
  while (!report_.pulls_by_staleness.empty() && report_.pulls_by_staleness.back() == 0) {
    report_.pulls_by_staleness.pop_back();
  }
  report_.data.push_back({"training examples a pass", absl::StrCat(epoch_size_)});
  report_.total_seconds = Seconds(began_);
  report_.phases.insert(report_.phases.begin(),
                        {.name = "training", .seconds = report_.train_seconds});
  const std::filesystem::path out = options_.out;
  LONGTAIL_RETURN_IF_ERROR(WriteFile(out / "report.html", ToHtml(report_)));
  LONGTAIL_RETURN_IF_ERROR(WriteFile(out / "report.json", ToJson(report_)));
  if (options_.progress.mode == ProgressMode::kJson) return absl::OkStatus();
  PrintResultTable(report_, out_, options_.style);
  out_ << "Report      " << (out / "report.html").string() << "\nPredictions "
       << (out / "predictions.csv").string() << "\nCheckpoint  " << report_.checkpoint_path << "\n";
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<RunReport> TrainAndReport(const RunOptions& options, std::ostream& out) {
  std::error_code error;
  std::filesystem::create_directories(options.out, error);
  if (error) {
    return absl::InvalidArgumentError(
        absl::StrCat("output directory '", options.out, "': ", error.message()));
  }
  return TrainingRun(options, out).Run();
}

}  // namespace longtail::examples
