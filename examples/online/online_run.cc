#include "examples/online/online_run.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "base/mutex.h"
#include "base/status_macros.h"
#include "examples/online/example_source.h"
#include "examples/online/example_topic.h"
#include "examples/online/joined_events.h"
#include "longtail/cluster.h"
#include "longtail/pages.h"

namespace longtail::examples {
namespace {

constexpr absl::Duration kShownInterval = absl::Seconds(1);
// Of one checkpoint: lanes may move meanwhile.
constexpr int kCheckpointAttemptsMax = 20;

// What pages show.
struct Shown {
  OnlineRunReport report{};
  std::vector<std::string> not_ready{"begins"};
  std::int64_t now_ms = 0;
  double lag_p99_ms = 0;
  double log_loss = 0;
  std::vector<std::pair<std::string, double>> auc{};  // By bucket.
  WorkerStatistics worker{};
};

class OnlineRun {
 public:
  OnlineRun(const OnlineRunOptions& options, std::ostream& out) : options_(options), out_(out) {}

  absl::StatusOr<OnlineRunReport> Run() {
    LONGTAIL_RETURN_IF_ERROR(Open());
    while (!IsStopped()) {
      LONGTAIL_ASSIGN_OR_RETURN(NextExamples next, source_->Next());
      for (Example& one : next.examples) LONGTAIL_RETURN_IF_ERROR(trainer_->Add(std::move(one)));
      if (next.now_ms) {
        now_ms_ = *next.now_ms;
        LONGTAIL_RETURN_IF_ERROR(trainer_->Tick(now_ms_));
      }
      if (trainer_->steps() >= saved_steps_ + options_.checkpoint_every) {
        LONGTAIL_RETURN_IF_ERROR(SaveCheckpoint());
      }
      if (options_.until_ms != 0 && now_ms_ >= options_.until_ms) {
        LONGTAIL_RETURN_IF_ERROR(trainer_->Flush());
        break;
      }
      SayHours();
      if (absl::Now() >= show_at_) Show();
    }
    if (trainer_->steps() != saved_steps_) LONGTAIL_RETURN_IF_ERROR(SaveCheckpoint());
    if (source_->repeated() > 0) {
      out_ << source_->repeated() << " examples came again, and were dropped\n";
    }
    for (const std::string& line : trainer_->scores().Hours()) out_ << line << "\n";
    out_ << ScoresText("all", trainer_->scores().total()) << "\n";
    return Report();
  }

 private:
  absl::Status Open();
  absl::Status OpenPages();
  absl::Status OpenCluster();
  absl::Status Resume(const CheckpointInfo& newest);
  absl::Status SaveCheckpoint();
  OnlineRunReport Report() const;

  bool IsStopped() const { return options_.stop != nullptr && *options_.stop; }

  // Hours that no example can come for any more.
  void SayHours() {
    const std::int64_t before = now_ms_ - options_.joiner.window_ms;
    if (before < said_hours_before_) return;
    said_hours_before_ = before + 60'000;
    for (const std::string& line : trainer_->scores().TakeHoursBefore(before)) {
      out_ << line << std::endl;
    }
  }

  void Show();

  const OnlineRunOptions& options_;
  std::ostream& out_;
  std::unique_ptr<ExampleSource> source_;
  std::unique_ptr<Cluster> cluster_;
  std::unique_ptr<OnlineTrainer> trainer_;
  std::int64_t now_ms_ = 0;
  std::uint64_t saved_steps_ = 0;
  bool has_resumed_ = false;
  std::optional<RollbackInfo> rollback_;
  std::int64_t said_hours_before_ = 0;
  absl::Time show_at_ = absl::InfinitePast();
  Mutex mutex_;
  Shown shown_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<Pages> pages_;  // Before what it shows is gone.
};

absl::Status OnlineRun::Open() {
  if (options_.store.empty()) {
    return absl::InvalidArgumentError("store: want a place for checkpoints");
  }
  LONGTAIL_RETURN_IF_ERROR(OpenPages());
  if (options_.reads_examples) {
    LONGTAIL_ASSIGN_OR_RETURN(source_,
                              ExampleTopic::Open(options_.brokers, options_.topics.examples,
                                                 options_.join_timeout, out_));
  } else {
    LONGTAIL_ASSIGN_OR_RETURN(source_,
                              JoinedEvents::Open(options_.brokers, options_.topics, options_.joiner,
                                                 options_.join_timeout, out_));
  }
  LONGTAIL_RETURN_IF_ERROR(OpenCluster());
  // So that there is something to go back to from the first batch on.
  return has_resumed_ ? absl::OkStatus() : SaveCheckpoint();
}

absl::Status OnlineRun::OpenPages() {
  if (options_.admin.empty()) return absl::OkStatus();
  PagesOptions pages;
  pages.listen = options_.admin;
  pages.figures = [this](Figures& figures) {
    const MutexLock lock(&mutex_);
    Shown& s = shown_;
    figures.Counter("longtail_online_examples_total", "Examples that were learned.",
                    static_cast<double>(s.report.examples));
    if (s.report.joiner) AddJoinerFigures(*s.report.joiner, figures);
    figures.Counter("longtail_online_repeated_examples_total",
                    "Examples that a joiner sent again, and that were dropped.",
                    static_cast<double>(s.report.repeated));
    figures.Gauge("longtail_online_event_time_seconds", "How late it is in the logs, since 1970.",
                  static_cast<double>(s.now_ms) / 1e3);
    figures.Gauge("longtail_online_lag_p99_seconds",
                  "From when a batch's last event came into the log until it was learned.",
                  s.lag_p99_ms / 1e3);
    figures.Gauge("longtail_online_log_loss", "Mean over examples before they were learned.",
                  s.log_loss);
    for (const auto& [bucket, auc] : s.auc) {
      figures.Gauge("longtail_online_bucket_auc",
                    "AUC before examples were learned, by the count of the rarest feature.", auc,
                    {{"bucket", bucket}});
    }
    AddWorkerFigures(s.worker, figures);
  };
  pages.why_not_ready = [this] {
    const MutexLock lock(&mutex_);
    return shown_.not_ready;
  };
  LONGTAIL_ASSIGN_OR_RETURN(pages_, Pages::Show(std::move(pages)));
  out_ << "Pages: http://" << pages_->address() << "/metrics" << std::endl;
  return absl::OkStatus();
}

absl::Status OnlineRun::OpenCluster() {
  if (!options_.cluster.empty()) {
    LONGTAIL_ASSIGN_OR_RETURN(
        cluster_,
        Cluster::Remote({.coordinator = options_.cluster,
                         .store = options_.store,
                         .join_timeout = absl::ToChronoMilliseconds(options_.join_timeout)}));
  }
  absl::StatusOr<std::vector<CheckpointInfo>> saved = ListCheckpoints(options_.store);
  if (absl::IsNotFound(saved.status())) saved = std::vector<CheckpointInfo>();
  LONGTAIL_RETURN_IF_ERROR(saved.status());
  // The one that has come farthest, of those since the cluster went back the last time.
  std::optional<CheckpointInfo> newest;
  if (cluster_ != nullptr) rollback_ = cluster_->last_rollback();
  for (const CheckpointInfo& one : *saved) {
    if (rollback_ && one.name.name != rollback_->name && one.created_at <= rollback_->at) continue;
    if (!newest || newest->step < one.step) newest = one;
  }
  if (cluster_ == nullptr) {
    const ClusterOptions embedded{.lanes = 2, .store = options_.store};
    LONGTAIL_ASSIGN_OR_RETURN(
        cluster_, newest ? Cluster::Restore(embedded, newest->name) : Cluster::Embedded(embedded));
  } else if (newest) {
    absl::Status loaded = cluster_->Load(newest->name);
    if (absl::IsAlreadyExists(loaded)) loaded = cluster_->RollBack(newest->name.name);
    LONGTAIL_RETURN_IF_ERROR(loaded);
    rollback_ = cluster_->last_rollback();
  }
  LONGTAIL_ASSIGN_OR_RETURN(trainer_, OnlineTrainer::Make(*cluster_, options_.trainer));
  if (newest) return Resume(*newest);
  LONGTAIL_ASSIGN_OR_RETURN(const TableId table, cluster_->FindTable(kFeatureTable));
  LONGTAIL_ASSIGN_OR_RETURN(const TableStatistics statistics, cluster_->Statistics(table));
  if (statistics.rows == 0) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      "table '", kFeatureTable, "' has ", statistics.rows, " rows and store '", options_.store,
      "' no checkpoint of them: want the store that they were saved "
      "in, or a new cluster"));
}

absl::Status OnlineRun::Resume(const CheckpointInfo& newest) {
  LONGTAIL_ASSIGN_OR_RETURN(const TrainerState state, ReadTrainerState(newest.name));
  const std::string of = absl::StrCat("checkpoint '", newest.name.name, "'");
  LONGTAIL_RETURN_IF_ERROR(source_->Restore(state, of));
  const auto trainer = state.find("trainer");
  if (trainer == state.end()) {
    return absl::DataLossError(absl::StrCat(of, " has no 'trainer': it is of another program"));
  }
  LONGTAIL_RETURN_IF_ERROR(trainer_->Restore(trainer->second));
  saved_steps_ = trainer_->steps();
  has_resumed_ = true;
  out_ << "Resumed from " << AddressOf(newest.name) << " at step " << saved_steps_ << "."
       << std::endl;
  return absl::OkStatus();
}

absl::Status OnlineRun::SaveCheckpoint() {
  TrainerState state = {{"trainer", trainer_->Save()}};
  source_->Save(state);
  std::string name = absl::StrFormat("online-%09d", trainer_->steps());
  if (rollback_) absl::StrAppend(&name, "-r", rollback_->number);
  for (int attempt = 1;; ++attempt) {
    const absl::Status saved = cluster_->Checkpoint(name, state).status();
    if (saved.ok()) break;
    if (!absl::IsAborted(saved) || attempt == kCheckpointAttemptsMax) return saved;
    absl::SleepFor(absl::Milliseconds(300));
  }
  saved_steps_ = trainer_->steps();
  return absl::OkStatus();
}

OnlineRunReport OnlineRun::Report() const {
  return {.examples = trainer_->examples(),
          .examples_hash = trainer_->examples_hash(),
          .steps = trainer_->steps(),
          .joiner = source_->joiner_report(),
          .repeated = source_->repeated()};
}

void OnlineRun::Show() {
  show_at_ = absl::Now() + kShownInterval;
  if (pages_ == nullptr) return;
  Shown shown{
      .report = Report(), .not_ready = {}, .now_ms = now_ms_, .worker = trainer_->statistics()};
  if (!source_->waits().empty()) shown.not_ready = {source_->waits()};
  std::vector<double> lags = trainer_->lags_ms();
  if (!lags.empty()) {
    const auto p99 = lags.begin() + static_cast<std::ptrdiff_t>((lags.size() - 1) * 99 / 100);
    std::ranges::nth_element(lags, p99);
    shown.lag_p99_ms = *p99;
  }
  const HourScores& total = trainer_->scores().total();
  if (total.examples != 0) shown.log_loss = total.log_loss / static_cast<double>(total.examples);
  for (std::size_t b = 0; b < kCountBucketCount; ++b) {
    if (const std::optional<double> auc = total.buckets[b].Value()) {
      shown.auc.emplace_back(std::string(kCountBuckets[b].name), *auc);
    }
  }
  const MutexLock lock(&mutex_);
  shown_ = std::move(shown);
}

}  // namespace

absl::StatusOr<OnlineRunReport> RunOnline(const OnlineRunOptions& options, std::ostream& out) {
  return OnlineRun(options, out).Run();
}

}  // namespace longtail::examples
