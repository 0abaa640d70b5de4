#include "examples/ctr/training_position.h"

#include <sstream>

#include "absl/strings/str_cat.h"

namespace longtail::examples {
namespace {

const std::string kPosition = "position";
const std::string kSettings = "settings";

}  // namespace

void SavePosition(const TrainingPosition& position, const std::string& settings,
                  TrainerState& state) {
  state[kPosition] =
      absl::StrCat(position.epoch, " ", position.examples, " ", position.samples_trained);
  state[kSettings] = settings;
}

absl::StatusOr<TrainingPosition> LoadPosition(const TrainerState& state,
                                              const std::string& settings) {
  const auto position = state.find(kPosition);
  const auto saved = state.find(kSettings);
  if (position == state.end() || saved == state.end()) {
    return absl::DataLossError("checkpoint: holds no position of a CTR training");
  }
  std::istringstream was(saved->second);
  std::istringstream is(settings);
  std::string was_line;
  std::string is_line;
  while (std::getline(was, was_line)) {
    std::getline(is, is_line);
    if (was_line != is_line) {
      return absl::FailedPreconditionError(absl::StrCat("resume: the checkpoint was made with '",
                                                        was_line, "', this training has '", is_line,
                                                        "'"));
    }
  }
  TrainingPosition result;
  std::istringstream numbers(position->second);
  if (!(numbers >> result.epoch >> result.examples >> result.samples_trained)) {
    return absl::DataLossError(
        absl::StrCat("checkpoint: position '", position->second, "': want three numbers"));
  }
  return result;
}

}  // namespace longtail::examples
