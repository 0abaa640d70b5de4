#include "examples/online/online_run.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "base/mutex.h"
#include "base/status_macros.h"
#include "examples/online/event_merge.h"
#include "longtail/cluster.h"
#include "longtail/pages.h"

namespace longtail::examples {
namespace {

constexpr absl::Duration kReadWait = absl::Milliseconds(20);
constexpr std::size_t kAheadMax = 10'000;  // Events of a partition that wait for others.
constexpr absl::Duration kSilence = absl::Seconds(10);
constexpr absl::Duration kShownInterval = absl::Seconds(1);
// Of one checkpoint: lanes may move meanwhile.
constexpr int kCheckpointAttemptsMax = 20;

// What pages show.
struct Shown {
  OnlineRunReport report{};
  std::vector<std::string> not_ready{"begins"};
  std::size_t waiting = 0;
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
    std::vector<Example> examples;
    while (!IsStopped()) {
      std::optional<Event> event = merge_->Next();
      if (!event) {
        LONGTAIL_RETURN_IF_ERROR(Fill());
        continue;
      }
      examples.clear();
      joiner_->Add(*std::move(event), examples);
      for (Example& example : examples) LONGTAIL_RETURN_IF_ERROR(trainer_->Add(std::move(example)));
      LONGTAIL_RETURN_IF_ERROR(trainer_->Tick(joiner_->now_ms()));
      if (trainer_->steps() >= saved_steps_ + options_.checkpoint_every) {
        LONGTAIL_RETURN_IF_ERROR(SaveCheckpoint());
      }
      if (options_.until_ms != 0 && joiner_->now_ms() >= options_.until_ms) {
        LONGTAIL_RETURN_IF_ERROR(trainer_->Flush());
        break;
      }
      SayHours();
      if (absl::Now() >= show_at_) Show({});
    }
    if (trainer_->steps() != saved_steps_) LONGTAIL_RETURN_IF_ERROR(SaveCheckpoint());
    for (const std::string& line : trainer_->scores().Hours()) out_ << line << "\n";
    out_ << ScoresText("all", trainer_->scores().total()) << "\n";
    return Report();
  }

 private:
  absl::Status Open();
  absl::Status OpenPages();
  absl::Status OpenCluster();
  absl::Status Resume(const CheckpointInfo& newest);
  absl::Status Fill();
  absl::Status SaveCheckpoint();
  OnlineRunReport Report() const;

  bool IsStopped() const { return options_.stop != nullptr && *options_.stop; }

  // Hours that no example can come for any more.
  void SayHours() {
    const std::int64_t before = joiner_->now_ms() - options_.joiner.window_ms;
    if (before < said_hours_before_) return;
    said_hours_before_ = before + 60'000;
    for (const std::string& line : trainer_->scores().TakeHoursBefore(before)) {
      out_ << line << std::endl;
    }
  }

  void Show(std::vector<std::string> not_ready);

  std::string PartitionName(std::size_t i) const {
    const LogPartition& one = reader_->partitions()[i];
    return absl::StrCat("topic '", one.topic, "', partition ", one.number);
  }

  const OnlineRunOptions& options_;
  std::ostream& out_;
  std::unique_ptr<KafkaReader> reader_;
  std::unique_ptr<Cluster> cluster_;
  std::unique_ptr<OnlineTrainer> trainer_;
  std::optional<LogJoiner> joiner_;
  std::optional<EventMerge> merge_;
  std::vector<PartitionPosition> begin_;
  std::uint64_t unreadable_before_ = 0;  // Before this process began.
  std::uint64_t unreadable_said_ = 0;
  std::uint64_t saved_steps_ = 0;
  bool has_resumed_ = false;
  std::optional<RollbackInfo> rollback_;
  std::int64_t said_hours_before_ = 0;
  absl::Time show_at_ = absl::InfinitePast();
  absl::Time silent_since_ = absl::InfiniteFuture();
  absl::Time say_silence_at_ = absl::InfiniteFuture();
  Mutex mutex_;
  Shown shown_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<Pages> pages_;  // Before what it shows is gone.
};

absl::Status OnlineRun::Open() {
  if (options_.store.empty()) {
    return absl::InvalidArgumentError("store: want a place for checkpoints");
  }
  LONGTAIL_RETURN_IF_ERROR(OpenPages());
  LONGTAIL_ASSIGN_OR_RETURN(
      reader_, KafkaReader::Open(options_.brokers, options_.topics, options_.join_timeout));
  begin_.assign(reader_->partitions().size(), PartitionPosition{});
  joiner_.emplace(options_.joiner);
  LONGTAIL_RETURN_IF_ERROR(OpenCluster());
  std::vector<std::int64_t> offsets;
  for (const PartitionPosition& one : begin_) offsets.push_back(one.next);
  merge_.emplace(begin_);
  // So that there is something to go back to from the first batch on.
  if (!has_resumed_) LONGTAIL_RETURN_IF_ERROR(SaveCheckpoint());
  return reader_->Start(offsets);
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
    LogJoinerCounts counts = s.report.counts;
    for (const auto& [name, count] : NamedCounts(counts)) {
      figures.Counter("longtail_online_joiner_total", "Events and examples of the joiner, by kind.",
                      static_cast<double>(*count), {{"kind", name}});
    }
    figures.Counter("longtail_online_unreadable_events_total", "Entries of logs that are no event.",
                    static_cast<double>(s.report.unreadable));
    figures.Gauge("longtail_online_waiting_impressions", "Impressions that wait for a click.",
                  static_cast<double>(s.waiting));
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
  const auto part = [&](const char* name) -> absl::StatusOr<std::string> {
    const auto found = state.find(name);
    if (found != state.end()) return found->second;
    return absl::DataLossError(absl::StrCat("checkpoint '", newest.name.name, "' has no '", name,
                                            "': it is of another program"));
  };
  LONGTAIL_ASSIGN_OR_RETURN(const std::string joiner, part("joiner"));
  LONGTAIL_ASSIGN_OR_RETURN(LogJoiner loaded, LogJoiner::Load(options_.joiner, joiner));
  joiner_ = std::move(loaded);
  LONGTAIL_ASSIGN_OR_RETURN(const std::string trainer, part("trainer"));
  LONGTAIL_RETURN_IF_ERROR(trainer_->Restore(trainer));
  LONGTAIL_ASSIGN_OR_RETURN(const std::string logs, part("logs"));
  const std::vector<std::string> lines = absl::StrSplit(logs, '\n', absl::SkipEmpty());
  if (lines.empty() || !absl::SimpleAtoi(lines[0], &unreadable_before_) ||
      lines.size() != 1 + begin_.size()) {
    return absl::InvalidArgumentError(
        absl::StrCat("checkpoint '", newest.name.name, "' is of ", lines.size() - 1,
                     " partitions, and the topics have ", begin_.size(),
                     ": a log's number of partitions may not change"));
  }
  for (std::size_t i = 0; i < begin_.size(); ++i) {
    const std::vector<std::string> words = absl::StrSplit(lines[1 + i], '\t');
    if (words.size() != 3 || words[0] != PartitionName(i) ||
        !absl::SimpleAtoi(words[1], &begin_[i].next) ||
        !absl::SimpleAtoi(words[2], &begin_[i].at_ms)) {
      return absl::InvalidArgumentError(absl::StrCat("checkpoint '", newest.name.name, "' has '",
                                                     lines[1 + i], "', want ", PartitionName(i)));
    }
  }
  saved_steps_ = trainer_->steps();
  has_resumed_ = true;
  out_ << "Resumed from " << AddressOf(newest.name) << " at step " << saved_steps_ << "."
       << std::endl;
  return absl::OkStatus();
}

// Reads of the partitions that the next event waits for.
absl::Status OnlineRun::Fill() {
  std::vector<LogEntry> entries;
  bool has_come = false;
  for (std::size_t i = 0; i < begin_.size(); ++i) {
    if (merge_->waiting(i) >= kAheadMax) continue;
    entries.clear();
    const bool is_wanted = merge_->waiting(i) == 0;
    LONGTAIL_RETURN_IF_ERROR(
        reader_->Read(i, is_wanted ? kReadWait : absl::ZeroDuration(), entries));
    for (LogEntry& entry : entries) {
      absl::StatusOr<Event> event =
          DecodeEvent(reader_->partitions()[i].kind, entry.key, entry.value);
      if (event.ok()) {
        event->written_ms = entry.written_ms;
        merge_->Put(i, entry.offset, *std::move(event));
        has_come |= is_wanted;
        continue;
      }
      ++unreadable_said_;
      if (unreadable_said_ <= 10 || unreadable_said_ % 1000 == 0) {
        out_ << "unreadable: " << PartitionName(i) << ", offset " << entry.offset << ": "
             << event.status().message() << " (" << unreadable_said_ << " so far)" << std::endl;
      }
      merge_->Put(i, entry.offset, std::nullopt);
    }
  }
  const absl::Time now = absl::Now();
  if (has_come) {
    silent_since_ = say_silence_at_ = absl::InfiniteFuture();
    return absl::OkStatus();
  }
  if (silent_since_ == absl::InfiniteFuture()) {
    silent_since_ = now;
    say_silence_at_ = now + kSilence;
  }
  if (now >= say_silence_at_) {
    say_silence_at_ = now + kSilence;
    const std::string problem = reader_->problem();
    const std::string sentence = absl::StrCat(
        "waits for an event of ", PartitionName(merge_->WaitsFor().value_or(0)), ", for ",
        absl::FormatDuration(absl::Trunc(now - silent_since_, absl::Seconds(1))),
        problem.empty() ? "" : "; ", problem);
    out_ << sentence << std::endl;
    Show({sentence});
  } else if (now >= show_at_ && say_silence_at_ == silent_since_ + kSilence) {
    Show({});
  }
  return absl::OkStatus();
}

absl::Status OnlineRun::SaveCheckpoint() {
  std::string logs = absl::StrCat(unreadable_before_ + merge_->unreadable(), "\n");
  for (std::size_t i = 0; i < begin_.size(); ++i) {
    const PartitionPosition& at = merge_->positions()[i];
    absl::StrAppend(&logs, PartitionName(i), "\t", at.next, "\t", at.at_ms, "\n");
  }
  const TrainerState state = {
      {"joiner", joiner_->Save()}, {"trainer", trainer_->Save()}, {"logs", logs}};
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
          .counts = joiner_->counts(),
          .unreadable = unreadable_before_ + merge_->unreadable()};
}

void OnlineRun::Show(std::vector<std::string> not_ready) {
  show_at_ = absl::Now() + kShownInterval;
  if (pages_ == nullptr) return;
  Shown shown{.report = Report(),
              .not_ready = std::move(not_ready),
              .waiting = joiner_->waiting(),
              .now_ms = joiner_->now_ms(),
              .worker = trainer_->statistics()};
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
