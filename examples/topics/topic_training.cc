#include "examples/topics/topic_training.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <memory>
#include <optional>
#include <ostream>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/status_macros.h"
#include "examples/common/report/number_text.h"
#include "examples/topics/document_store.h"
#include "examples/topics/prior_fit.h"
#include "examples/topics/served_word_topics.h"
#include "examples/topics/sweep_team.h"
#include "examples/topics/topic_model.h"
#include "examples/topics/training_state.h"
#include "longtail/cluster.h"
#include "nlohmann/json.hpp"

namespace longtail::examples {
namespace {

using Clock = std::chrono::steady_clock;

double Seconds(Clock::time_point since) {
  return std::chrono::duration<double>(Clock::now() - since).count();
}

// Rows of a model that are pulled at once.
constexpr std::size_t kWordsOfPull = 16'384;

const std::string kCheckpointStart = "sweep-";

// What is in a store; in one that is not there yet, nothing.
absl::StatusOr<std::vector<CheckpointInfo>> SavedIn(const std::string& store) {
  absl::StatusOr<std::vector<CheckpointInfo>> saved = ListCheckpoints(store);
  if (absl::IsNotFound(saved.status())) return std::vector<CheckpointInfo>();
  return saved;
}

// What of a training goes on from one part to the next.
class Training {
 public:
  Training(const TrainingOptions& options, std::ostream& out) : options_(options), out_(out) {}

  absl::StatusOr<TrainingReport> Run() {
    LONGTAIL_RETURN_IF_ERROR(OpenDocuments());
    LONGTAIL_RETURN_IF_ERROR(OpenCluster());
    LONGTAIL_RETURN_IF_ERROR(OpenHeldOut());
    topics_.KeepOnly(state_.sweep, state_.sweep);
    saved_sweep_ = state_.sweep;
    const std::uint32_t first = state_.sweep;
    while (state_.sweep < options_.sweeps) {
      LONGTAIL_RETURN_IF_ERROR(Sweep());
      if (options_.stop_after != 0 && state_.sweep - first == options_.stop_after) break;
    }
    return Finish();
  }

 private:
  absl::Status OpenDocuments();
  absl::Status OpenCluster();
  absl::Status JoinCluster(const std::string& store);
  absl::Status ReadState(const CheckpointName& from);
  absl::Status OpenHeldOut();
  absl::Status Sweep();
  absl::Status FitBeta();
  absl::Status Measure(const ModelCounts& counts);
  absl::Status Save();
  absl::StatusOr<TrainingReport> Finish();
  absl::StatusOr<ModelCounts> PullModel();
  void Tell(const nlohmann::json& json, const std::string& text) {
    out_ << (options_.json ? json.dump() : text) << std::endl;
  }

  const TrainingOptions& options_;
  std::ostream& out_;
  std::optional<DocumentStore> documents_;
  const TokenTopics topics_{options_.out + "/topics"};
  std::unique_ptr<Cluster> cluster_;
  std::vector<std::unique_ptr<WordTopics>> counts_;
  TrainingState state_;
  std::vector<std::vector<std::uint32_t>> held_out_;
  std::uint32_t saved_sweep_ = 0;
  std::uint32_t sweeps_here_ = 0;
  TrainingReport report_;
};

absl::Status Training::OpenDocuments() {
  const std::string directory = options_.out + "/documents";
  std::error_code error;
  if (!options_.resume && std::filesystem::exists(options_.out + "/topics", error)) {
    return absl::AlreadyExistsError(absl::StrCat(
        "'", options_.out, "' holds a training already: want another --out, or --resume"));
  }
  absl::StatusOr<DocumentStore> there =
      options_.resume ? DocumentStore::Open(directory)
                      : DocumentStore::Prepare(directory, options_.corpus, options_.block_tokens);
  if (absl::IsNotFound(there.status())) {
    there = DocumentStore::Prepare(directory, options_.corpus, options_.block_tokens);
  }
  LONGTAIL_RETURN_IF_ERROR(there.status());
  documents_ = *std::move(there);
  const CorpusCounts& counts = documents_->counts();
  report_.tokens = counts.tokens;
  Tell({{"event", "corpus"},
        {"documents", counts.documents},
        {"tokens", counts.tokens},
        {"words", documents_->vocabulary().size()},
        {"empty", counts.empty},
        {"undecodable", counts.undecodable},
        {"blocks", documents_->block_count()}},
       absl::StrCat("Corpus: ", GroupedText(counts.documents), " documents, ",
                    GroupedText(counts.tokens), " tokens of ",
                    GroupedText(documents_->vocabulary().size()), " words, in ",
                    documents_->block_count(), " blocks; ", GroupedText(counts.empty),
                    " lines have no word that counts."));
  if (counts.undecodable != 0) {
    Tell({{"event", "undecodable"},
          {"lines", counts.undecodable},
          {"first", counts.first_undecodable}},
         absl::StrCat(GroupedText(counts.undecodable),
                      " lines are not UTF-8 and are left out, the first at ",
                      counts.first_undecodable, "."));
  }
  state_.tokens = counts.tokens;
  state_.seed = options_.seed;
  state_.priors.alpha.assign(options_.topics, options_.alpha);
  state_.priors.beta = options_.beta;
  state_.priors.vocabulary_size = documents_->vocabulary().size();
  return absl::OkStatus();
}

absl::Status Training::ReadState(const CheckpointName& from) {
  LONGTAIL_ASSIGN_OR_RETURN(const TrainerState saved, ReadTrainerState(from));
  LONGTAIL_ASSIGN_OR_RETURN(TrainingState state, TrainingState::Load(saved));
  const auto differs = [](const char* what, const auto& was, const auto& is) {
    return absl::FailedPreconditionError(absl::StrCat("resume: the checkpoint was made with ", what,
                                                      " ", was, ", this training has ", is));
  };
  if (state.priors.topic_count() != options_.topics) {
    return differs("--topics", state.priors.topic_count(), options_.topics);
  }
  if (state.tokens != state_.tokens) return differs("tokens", state.tokens, state_.tokens);
  if (state.seed != options_.seed) return differs("--seed", state.seed, options_.seed);
  state_ = std::move(state);
  out_ << "Resumed from " << AddressOf(from) << " at sweep " << state_.sweep << ".\n";
  return absl::OkStatus();
}

absl::Status Training::JoinCluster(const std::string& store) {
  LONGTAIL_ASSIGN_OR_RETURN(cluster_,
                            Cluster::Remote({.coordinator = options_.cluster, .store = store}));
  const ClusterOptions& there = cluster_->options();
  if (there.step_mode != StepMode::kAsynchronous || there.workers < options_.workers) {
    return absl::FailedPreconditionError(absl::StrCat(
        "cluster '", options_.cluster, "' is for ", there.workers, " workers, ",
        there.step_mode == StepMode::kAsynchronous ? "asynchronous" : "in steps", ": wanted ",
        options_.workers, ", asynchronous; start the coordinator with --workers and --step-mode"));
  }
  if (!options_.resume) return absl::OkStatus();
  LONGTAIL_ASSIGN_OR_RETURN(const std::vector<CheckpointInfo> saved, SavedIn(store));
  const auto rollback = cluster_->last_rollback();
  const CheckpointInfo* newest = nullptr;
  for (const CheckpointInfo& info : saved) {  // Oldest first.
    const bool is_undone =
        rollback && info.name.name != rollback->name && info.created_at <= rollback->at;
    if (!is_undone && absl::StartsWith(info.name.name, kCheckpointStart)) newest = &info;
  }
  if (newest == nullptr) return absl::OkStatus();
  LONGTAIL_RETURN_IF_ERROR(ReadState(newest->name));
  const absl::Status loaded = cluster_->Load(newest->name);
  return absl::IsAlreadyExists(loaded) ? cluster_->RollBack(newest->name.name) : loaded;
}

absl::Status Training::OpenCluster() {
  const std::string store = options_.store.empty() ? options_.out + "/checkpoints" : options_.store;
  if (!options_.cluster.empty()) {
    LONGTAIL_RETURN_IF_ERROR(JoinCluster(store));
  } else {
    const ClusterOptions cluster{.lanes = options_.lanes,
                                 .partitions = options_.partitions,
                                 .workers = options_.workers,
                                 .store = store};
    LONGTAIL_ASSIGN_OR_RETURN(const std::vector<CheckpointInfo> saved, SavedIn(store));
    if (!saved.empty() && !options_.resume) {
      return absl::AlreadyExistsError(absl::StrCat("'", store, "' holds the training '",
                                                   saved.back().name.name,
                                                   "' already: want another --store, or --resume"));
    }
    if (saved.empty()) {
      LONGTAIL_ASSIGN_OR_RETURN(cluster_, Cluster::Embedded(cluster));
    } else {
      LONGTAIL_RETURN_IF_ERROR(ReadState(saved.back().name));
      LONGTAIL_ASSIGN_OR_RETURN(cluster_, Cluster::Restore(cluster, saved.back().name));
    }
  }
  LONGTAIL_ASSIGN_OR_RETURN(const TopicTables tables,
                            TopicTables::Make(*cluster_, options_.topics));
  for (std::uint32_t i = 0; i < options_.workers; ++i) {
    LONGTAIL_ASSIGN_OR_RETURN(counts_.emplace_back(), ServedWordTopics::Connect(*cluster_, tables));
  }
  return absl::OkStatus();
}

absl::Status Training::OpenHeldOut() {
  if (options_.held_out.files.empty()) return absl::OkStatus();
  CorpusCounts counts;
  LONGTAIL_ASSIGN_OR_RETURN(held_out_,
                            ReadNumbered(options_.held_out, documents_->vocabulary(), counts));
  return absl::OkStatus();
}

absl::Status Training::Sweep() {
  const Clock::time_point began = Clock::now();
  const bool fits = options_.fit_every != 0 && (state_.sweep + 1) % options_.fit_every == 0;
  SweepTeam team(options_.sweep, *documents_, topics_, counts_);
  LONGTAIL_ASSIGN_OR_RETURN(const SweepTeam::Result done, team.Run(state_, fits));
  ++state_.sweep;
  ++sweeps_here_;
  const double seconds = Seconds(began);
  report_.sampling_seconds += seconds;
  if (fits) {
    state_.priors.alpha = done.alpha;
    LONGTAIL_RETURN_IF_ERROR(FitBeta());
  }
  const auto tokens = static_cast<double>(report_.tokens);
  Tell({{"event", "sweep"},
        {"sweep", state_.sweep},
        {"seconds", seconds},
        {"tokens_per_second", tokens / seconds},
        {"moved", static_cast<double>(done.moved) / tokens},
        {"alpha_sum", state_.priors.alpha_sum()},
        {"beta", state_.priors.beta}},
       absl::StrCat("Sweep ", state_.sweep, " of ", options_.sweeps, ": ", FixedText(seconds, 2),
                    " s, ", CompactText(tokens / seconds), " tokens/s, ",
                    PercentText(static_cast<double>(done.moved) / tokens), " moved",
                    fits ? absl::StrFormat("; alpha %.4g in all, beta %.4g",
                                           state_.priors.alpha_sum(), state_.priors.beta)
                         : ""));
  topics_.KeepOnly(state_.sweep, saved_sweep_);
  const bool is_last = state_.sweep == options_.sweeps;
  if (!is_last && options_.measure_every != 0 && state_.sweep % options_.measure_every == 0 &&
      !held_out_.empty()) {
    LONGTAIL_ASSIGN_OR_RETURN(const ModelCounts counts, PullModel());
    LONGTAIL_RETURN_IF_ERROR(Measure(counts));
  }
  if (!is_last && options_.checkpoint_every != 0 && state_.sweep % options_.checkpoint_every == 0) {
    return Save();
  }
  return absl::OkStatus();
}

absl::Status Training::FitBeta() {
  LONGTAIL_ASSIGN_OR_RETURN(const ModelCounts counts, PullModel());
  state_.priors.beta = BetaStep(counts.rows, counts.sums, state_.priors);
  return absl::OkStatus();
}

absl::StatusOr<ModelCounts> Training::PullModel() {
  ModelCounts model;
  model.sums.resize(options_.topics);
  WordTopics& counts = *counts_[0];
  LONGTAIL_RETURN_IF_ERROR(counts.PullSums(model.sums));
  const std::span<const Key> keys = documents_->vocabulary().keys();
  std::vector<std::int64_t> sums(options_.topics);
  CountRows rows;
  for (std::size_t begin = 0; begin < keys.size(); begin += kWordsOfPull) {
    const auto slice = keys.subspan(begin, std::min(kWordsOfPull, keys.size() - begin));
    LONGTAIL_RETURN_IF_ERROR(counts.StartPull(slice, &rows));
    LONGTAIL_RETURN_IF_ERROR(counts.FinishPull());
    const std::uint64_t entries = model.rows.columns.size();
    for (const std::uint64_t end : rows.ends) model.rows.ends.push_back(entries + end);
    for (std::size_t i = 0; i < rows.columns.size(); ++i) {
      model.rows.columns.push_back(rows.columns[i]);
      model.rows.counts.push_back(rows.counts[i]);
      sums[rows.columns[i]] += rows.counts[i];
    }
  }
  // Every token has one topic, so these are equal to the last one, or a push was lost or doubled.
  std::int64_t total = 0;
  for (std::uint32_t k = 0; k < options_.topics; ++k) {
    total += sums[k];
    if (sums[k] == model.sums[k]) continue;
    return absl::DataLossError(absl::StrCat("topic ", k, ": its words' counts sum to ", sums[k],
                                            ", its own count is ", model.sums[k]));
  }
  if (total != static_cast<std::int64_t>(report_.tokens)) {
    return absl::DataLossError(
        absl::StrCat("counts: sum to ", total, ": wanted the corpus's ", report_.tokens));
  }
  return model;
}

absl::Status Training::Measure(const ModelCounts& counts) {
  const HeldOutResult result =
      MeasureHeldOut(counts, state_.priors, held_out_, options_.held_out_tokens_min);
  report_.held_out.push_back(result);
  nlohmann::json buckets = nlohmann::json::object();
  std::string text;
  for (std::size_t i = 0; i < kCountBucketCount; ++i) {
    const BucketPerplexity& bucket = result.by_count[i];
    if (bucket.tokens == 0) continue;
    buckets[std::string(kCountBuckets[i].name)] = {{"tokens", bucket.tokens},
                                                   {"perplexity", bucket.perplexity()}};
    absl::StrAppend(&text, text.empty() ? "" : ", ", std::string(kCountBuckets[i].name), ": ",
                    GroupedText(static_cast<std::uint64_t>(std::llround(bucket.perplexity()))));
  }
  Tell({{"event", "held_out"},
        {"sweep", state_.sweep},
        {"sampling_seconds", report_.sampling_seconds},
        {"documents", result.documents},
        {"tokens", result.all.tokens},
        {"perplexity", result.all.perplexity()},
        {"unigram", result.unigram.perplexity()},
        {"by_count", std::move(buckets)}},
       absl::StrCat("Held out: perplexity ", FixedText(result.all.perplexity(), 1), " of ",
                    GroupedText(result.all.tokens), " tokens (by word frequency alone ",
                    FixedText(result.unigram.perplexity(), 1),
                    "); by how often the word was trained on: ", text, "."));
  return absl::OkStatus();
}

absl::Status Training::Save() {
  std::string name = absl::StrFormat("%s%06d", kCheckpointStart, state_.sweep);
  // Behind a rollback the names of what is not wanted any more may be taken.
  if (const auto rollback = cluster_->last_rollback()) {
    absl::StrAppend(&name, "-r", rollback->number);
  }
  const auto saved = cluster_->Checkpoint(name, state_.Save());
  // Resumed at its end: it is there.
  if (!saved.ok() && !absl::IsAlreadyExists(saved.status())) return saved.status();
  saved_sweep_ = state_.sweep;
  topics_.KeepOnly(state_.sweep, state_.sweep);
  return absl::OkStatus();
}

absl::StatusOr<TrainingReport> Training::Finish() {
  LONGTAIL_RETURN_IF_ERROR(Save());
  TopicModel model;
  model.text = documents_->text_kind();
  model.priors = state_.priors;
  model.vocabulary = documents_->vocabulary();
  LONGTAIL_ASSIGN_OR_RETURN(model.counts, PullModel());
  if (!held_out_.empty()) LONGTAIL_RETURN_IF_ERROR(Measure(model.counts));
  report_.model = options_.out + "/model.gz";
  LONGTAIL_RETURN_IF_ERROR(model.Save(report_.model));
  report_.sweeps = state_.sweep;
  report_.entries = model.counts.rows.columns.size();
  report_.tokens_per_second =
      Ratio(static_cast<double>(report_.tokens) * sweeps_here_, report_.sampling_seconds);
  LONGTAIL_ASSIGN_OR_RETURN(const auto tables, cluster_->AllStatistics());
  std::uint64_t bytes = 0;
  for (const TableReport& table : tables) bytes += table.statistics.bytes();
  Tell({{"event", "end"},
        {"sweeps", report_.sweeps},
        {"sampling_seconds", report_.sampling_seconds},
        {"tokens_per_second", report_.tokens_per_second},
        {"entries", report_.entries},
        {"table_bytes", bytes},
        {"model", report_.model}},
       absl::StrCat(sweeps_here_, " sweeps here: ", FixedText(report_.sampling_seconds, 1), " s, ",
                    CompactText(report_.tokens_per_second),
                    " tokens/s. Counts: ", GroupedText(report_.entries), " that are not zero, in ",
                    BytesText(bytes), ".\nModel: ", report_.model));
  return std::move(report_);
}

absl::Status Check(const TrainingOptions& options) {
  const auto wanted = [](const char* what, const auto& value, const char* text) {
    return absl::InvalidArgumentError(absl::StrCat(what, " ", value, ": wanted ", text));
  };
  if (options.topics < 2 || options.topics > (1U << 20)) {
    return wanted("--topics", options.topics, "2..1048576");
  }
  if (!(options.alpha > 0)) return wanted("--alpha", options.alpha, "a number above 0");
  if (!(options.beta > 0)) return wanted("--beta", options.beta, "a number above 0");
  if (options.workers == 0) return wanted("--workers", options.workers, "1 or more");
  if (options.block_tokens == 0) return wanted("--block_tokens", options.block_tokens, "1 or more");
  if (options.sweep.sum_slices == 0) {
    return wanted("--sum_slices", options.sweep.sum_slices, "1 or more");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<TrainingReport> TrainTopics(const TrainingOptions& options, std::ostream& out) {
  LONGTAIL_RETURN_IF_ERROR(Check(options));
  std::error_code error;
  std::filesystem::create_directories(options.out, error);
  if (error) {
    return absl::InvalidArgumentError(
        absl::StrCat("output directory '", options.out, "': ", error.message()));
  }
  return Training(options, out).Run();
}

}  // namespace longtail::examples
