#include "examples/recommender/training_run.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "examples/common/report/number_text.h"
#include "examples/recommender/factor_trainer.h"
#include "examples/recommender/training_position.h"

namespace longtail::examples::recommender {
namespace {

using Clock = std::chrono::steady_clock;

// A process may evaluate or save while the others wait for it.
constexpr std::chrono::minutes kMeetTimeout{30};

ClusterOptions EmbeddedOptions(const RecommenderConfig& config, const std::string& store) {
  return {.lanes = config.lanes,
          .partitions = config.partitions,
          .step_mode = config.step_mode,
          .staleness = config.staleness,
          .workers = config.workers,
          .store = store};
}

double SecondsSince(Clock::time_point began) {
  return std::chrono::duration<double>(Clock::now() - began).count();
}

// What of a run goes on from one part to the next.
class TrainingRun {
 public:
  TrainingRun(const RunOptions& options, std::ostream& out)
      : options_(options), config_(options.config), settings_(ResumeSettings(config_)), out_(out) {}

  absl::StatusOr<RunResult> Run();

 private:
  absl::Status OpenCluster();
  absl::Status JoinCluster();
  absl::Status Train();
  absl::Status Save();
  absl::Status Evaluate();
  bool IsFirst() const { return options_.process.index == 0; }
  // Waits until every process is at this point of the training.
  absl::Status Meet();

  const RunOptions& options_;
  const RecommenderConfig& config_;
  const std::string settings_;
  std::ostream& out_;
  Dataset data_;
  std::unique_ptr<Cluster> cluster_;
  std::unique_ptr<FactorTrainer> trainer_;
  std::uint64_t step_ = 0;
  std::uint64_t saved_step_ = 0;
  std::uint64_t meetings_ = 0;
  RunResult result_;
};

absl::Status TrainingRun::Meet() {
  if (options_.process.count == 1) return absl::OkStatus();
  return cluster_->Barrier(absl::StrCat("recommender-", meetings_++), options_.process.count,
                           kMeetTimeout);
}

// Joins a cluster of servers; with resume the first process brings a checkpoint there, or has a
// cluster that trained already go back to it.
absl::Status TrainingRun::JoinCluster() {
  const std::string store = StoreOf(options_);
  LONGTAIL_ASSIGN_OR_RETURN(
      cluster_,
      Cluster::Remote({.coordinator = options_.cluster,
                       .store = store,
                       .join_timeout = std::chrono::milliseconds(
                           static_cast<std::int64_t>(options_.join_timeout_seconds * 1000))}));
  const ClusterOptions& there = cluster_->options();
  if (there.step_mode != config_.step_mode || there.workers != config_.workers) {
    constexpr const char* kModes[] = {"asynchronous", "synchronous", "bounded"};
    return absl::FailedPreconditionError(
        absl::StrCat("cluster '", options_.cluster, "' is for ", there.workers, " workers, ",
                     kModes[static_cast<std::size_t>(there.step_mode)], ": the config wants ",
                     config_.workers, ", ", kModes[static_cast<std::size_t>(config_.step_mode)],
                     "; start the coordinator with --workers and --step-mode"));
  }
  if (!options_.resume) return absl::OkStatus();
  LONGTAIL_ASSIGN_OR_RETURN(const auto newest, NewestIn(store, cluster_->last_rollback()));
  LONGTAIL_RETURN_IF_ERROR(Meet());  // All chose before anything new is saved.
  if (!newest) return absl::OkStatus();
  LONGTAIL_ASSIGN_OR_RETURN(const TrainerState state, ReadTrainerState(newest->name));
  LONGTAIL_ASSIGN_OR_RETURN(step_, StepOf(state, settings_));
  if (IsFirst()) {
    absl::Status loaded = cluster_->Load(newest->name);
    if (absl::IsAlreadyExists(loaded)) loaded = cluster_->RollBack(newest->name.name);
    LONGTAIL_RETURN_IF_ERROR(loaded);
  }
  LONGTAIL_RETURN_IF_ERROR(Meet());
  out_ << "Resumed from " << AddressOf(newest->name) << " at step " << step_ << ".\n";
  return absl::OkStatus();
}

absl::Status TrainingRun::OpenCluster() {
  if (!options_.cluster.empty()) return JoinCluster();
  if (options_.process.count > 1) {
    return absl::InvalidArgumentError(absl::StrCat(
        options_.process.count, " processes: wanted a cluster that they share (--cluster)"));
  }
  const std::string store = StoreOf(options_);
  const ClusterOptions embedded = EmbeddedOptions(config_, store);
  LONGTAIL_ASSIGN_OR_RETURN(const auto newest, NewestIn(store, {}));
  if (newest && !options_.resume) {
    return absl::AlreadyExistsError(
        absl::StrCat("'", store, "' has checkpoints, such as '", newest->name.name,
                     "': go on from the newest with --resume, or name another --out"));
  }
  if (!newest) {
    LONGTAIL_ASSIGN_OR_RETURN(cluster_, Cluster::Embedded(embedded));
    return absl::OkStatus();
  }
  LONGTAIL_ASSIGN_OR_RETURN(const TrainerState state, ReadTrainerState(newest->name));
  LONGTAIL_ASSIGN_OR_RETURN(step_, StepOf(state, settings_));
  LONGTAIL_ASSIGN_OR_RETURN(cluster_, Cluster::Restore(embedded, newest->name));
  out_ << "Resumed from " << AddressOf(newest->name) << " at step " << step_ << ".\n";
  return absl::OkStatus();
}

absl::Status TrainingRun::Save() {
  LONGTAIL_RETURN_IF_ERROR(Meet());
  if (IsFirst()) {
    LONGTAIL_ASSIGN_OR_RETURN(result_.checkpoint, SaveAt(step_, settings_, *cluster_));
  }
  saved_step_ = step_;
  return Meet();
}

absl::Status TrainingRun::Train() {
  const std::uint64_t steps_of_epoch = trainer_->steps_of_epoch();
  std::uint64_t end = steps_of_epoch * config_.epochs;
  if (options_.stop_after != 0) end = std::min(end, step_ + options_.stop_after);
  saved_step_ = step_;
  while (step_ < end) {
    const Clock::time_point began = Clock::now();
    const std::uint64_t from = step_;
    const std::uint64_t epoch = step_ / steps_of_epoch;
    std::uint64_t until = std::min(end, (epoch + 1) * steps_of_epoch);
    if (options_.checkpoint_every != 0) {
      until = std::min(until, saved_step_ + options_.checkpoint_every);
    }
    LONGTAIL_ASSIGN_OR_RETURN(result_.loss, trainer_->Train(step_, until));
    step_ = until;
    const double seconds = SecondsSince(began);
    const double interactions = static_cast<double>(until - from) /
                                static_cast<double>(steps_of_epoch) *
                                static_cast<double>(data_.train.size());
    out_ << "epoch " << epoch + 1 << " of " << config_.epochs << ", step " << step_ << ": loss "
         << FixedText(result_.loss, 4) << ", " << CompactText(interactions / seconds)
         << " interactions/s, " << DurationText(seconds) << std::endl;
    if (options_.checkpoint_every != 0 && step_ - saved_step_ >= options_.checkpoint_every) {
      LONGTAIL_RETURN_IF_ERROR(Save());
    }
  }
  result_.steps = step_;
  return Save();
}

absl::Status TrainingRun::Evaluate() {
  LONGTAIL_ASSIGN_OR_RETURN(const auto model, FactorModel::Read(config_, data_, *cluster_));
  std::string json;
  if (config_.loss.kind == LossKind::kSquared) {
    LONGTAIL_ASSIGN_OR_RETURN(result_.ratings,
                              EvaluateRatings(data_, EvaluatedPart::kTest, *model));
    Print(*result_.ratings, absl::StrCat(config_.title, ", test"), out_, options_.style);
    json = ToJson(*result_.ratings);
  } else {
    LONGTAIL_ASSIGN_OR_RETURN(result_.ranking, EvaluateRanking(data_, EvaluatedPart::kTest, *model,
                                                               config_.model.tail_share));
    Print(*result_.ranking, absl::StrCat(config_.title, ", test"), out_, options_.style);
    json = ToJson(*result_.ranking);
  }
  const std::string path = (std::filesystem::path(options_.out) / "metrics.json").string();
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << json;
  file.close();
  if (!file) return absl::UnavailableError(absl::StrCat("'", path, "': cannot be written"));
  return absl::OkStatus();
}

absl::StatusOr<RunResult> TrainingRun::Run() {
  LONGTAIL_ASSIGN_OR_RETURN(data_, LoadDataset(config_.data, options_.on_bad_line));
  PrintBadLines(data_.names.bad_lines, out_);
  out_ << config_.title << ": " << GroupedText(data_.user_count()) << " users, "
       << GroupedText(data_.item_count()) << " items, " << GroupedText(data_.train.size())
       << " interactions to train on, " << GroupedText(data_.test.size()) << " to test on\n";
  LONGTAIL_RETURN_IF_ERROR(OpenCluster());
  LONGTAIL_ASSIGN_OR_RETURN(trainer_,
                            FactorTrainer::Make(config_, data_, *cluster_, options_.process));
  LONGTAIL_RETURN_IF_ERROR(Train());
  if (IsFirst()) {
    if (!data_.test.empty()) LONGTAIL_RETURN_IF_ERROR(Evaluate());
    out_ << "Checkpoint " << result_.checkpoint << "\n";
  }
  LONGTAIL_RETURN_IF_ERROR(Meet());  // Nobody leaves while another one still reads.
  return result_;
}

}  // namespace

std::string StoreOf(const RunOptions& options) {
  return options.store.empty() ? options.out + "/checkpoints" : options.store;
}

void PrintBadLines(const BadLines& bad_lines, std::ostream& out) {
  if (bad_lines.count == 0) return;
  out << GroupedText(bad_lines.count) << " lines could not be read and were left out:\n";
  for (const std::string& message : bad_lines.messages) out << "  " << message << "\n";
}

absl::StatusOr<RunResult> TrainAndEvaluate(const RunOptions& options, std::ostream& out) {
  std::error_code error;
  std::filesystem::create_directories(options.out, error);
  if (error) {
    return absl::InvalidArgumentError(
        absl::StrCat("output directory '", options.out, "': ", error.message()));
  }
  return TrainingRun(options, out).Run();
}

absl::StatusOr<SavedModel> LoadSavedModel(const RunOptions& options, const Dataset& data) {
  const std::string store = StoreOf(options);
  LONGTAIL_ASSIGN_OR_RETURN(const auto newest, NewestIn(store, {}));
  if (!newest) {
    return absl::NotFoundError(absl::StrCat("'", store, "' holds no checkpoint: train first"));
  }
  LONGTAIL_ASSIGN_OR_RETURN(const TrainerState state, ReadTrainerState(newest->name));
  LONGTAIL_RETURN_IF_ERROR(StepOf(state, ResumeSettings(options.config)).status());
  SavedModel saved;
  LONGTAIL_ASSIGN_OR_RETURN(saved.cluster,
                            Cluster::Restore(EmbeddedOptions(options.config, ""), newest->name));
  LONGTAIL_ASSIGN_OR_RETURN(saved.model, FactorModel::Read(options.config, data, *saved.cluster));
  return saved;
}

}  // namespace longtail::examples::recommender
