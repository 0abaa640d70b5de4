#include "examples/recommender/training_position.h"

#include <charconv>
#include <chrono>
#include <sstream>
#include <system_error>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/status_macros.h"

namespace longtail::examples::recommender {
namespace {

const std::string kSteps = "recommender.steps";
const std::string kSettings = "recommender.settings";
constexpr int kCheckpointAttemptsMax = 10;
constexpr std::chrono::milliseconds kCheckpointPause{500};

}  // namespace

TrainerState StateAt(std::uint64_t step, const std::string& settings) {
  return {{kSteps, absl::StrCat(step)}, {kSettings, settings}};
}

absl::StatusOr<std::uint64_t> StepOf(const TrainerState& state, const std::string& settings) {
  const auto steps = state.find(kSteps);
  const auto saved = state.find(kSettings);
  if (steps == state.end() || saved == state.end()) {
    return absl::DataLossError("checkpoint: holds no position of a recommender's training");
  }
  std::istringstream was(saved->second);
  std::istringstream is(settings);
  std::string was_line;
  std::string is_line;
  while (std::getline(was, was_line)) {
    std::getline(is, is_line);
    if (was_line == is_line) continue;
    return absl::FailedPreconditionError(absl::StrCat("resume: the checkpoint was made with '",
                                                      was_line, "', this training has '", is_line,
                                                      "'"));
  }
  std::uint64_t step = 0;
  const std::string& text = steps->second;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), step);
  if (error != std::errc() || end != text.data() + text.size()) {
    return absl::DataLossError(
        absl::StrCat("checkpoint: steps '", text, "': wanted a whole number"));
  }
  return step;
}

absl::StatusOr<std::optional<CheckpointInfo>> NewestIn(
    const std::string& store, const std::optional<RollbackInfo>& rollback) {
  const absl::StatusOr<std::vector<CheckpointInfo>> saved = ListCheckpoints(store);
  if (absl::IsNotFound(saved.status())) return std::optional<CheckpointInfo>();
  LONGTAIL_RETURN_IF_ERROR(saved.status());
  std::optional<CheckpointInfo> newest;
  for (const CheckpointInfo& info : *saved) {
    if (rollback && info.name.name != rollback->name && info.created_at <= rollback->at) continue;
    if (!newest || info.step > newest->step) newest = info;
  }
  return newest;
}

absl::StatusOr<std::string> SaveAt(std::uint64_t step, const std::string& settings,
                                   Cluster& cluster) {
  std::string name = absl::StrFormat("step-%08d", step);
  // Behind a rollback the names of what is not wanted any more may be taken.
  if (const auto rollback = cluster.last_rollback()) absl::StrAppend(&name, "-r", rollback->number);
  for (int attempt = 1;; ++attempt) {
    const std::string tried = attempt == 1 ? name : absl::StrCat(name, "-a", attempt);
    const auto saved = cluster.Checkpoint(tried, StateAt(step, settings));
    if (saved.ok()) return AddressOf(saved->name);
    if (absl::IsAlreadyExists(saved.status())) return tried;  // Resumed at its end.
    const bool may_end_well = absl::IsAborted(saved.status()) ||
                              (attempt > 1 && absl::IsFailedPrecondition(saved.status()));
    if (!may_end_well || attempt == kCheckpointAttemptsMax) return saved.status();
    std::this_thread::sleep_for(kCheckpointPause);
  }
}

}  // namespace longtail::examples::recommender
