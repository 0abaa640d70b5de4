#include "examples/topics/training_state.h"

#include <algorithm>
#include <filesystem>
#include <span>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/status_macros.h"
#include "examples/topics/number_file.h"
#include "nlohmann/json.hpp"

namespace longtail::examples {
namespace {

const std::string kState = "topics";

}  // namespace

TrainerState TrainingState::Save() const {
  const nlohmann::json json = {{"sweep", sweep},      {"tokens", tokens},
                               {"seed", seed},        {"alpha", priors.alpha},
                               {"beta", priors.beta}, {"vocabulary_size", priors.vocabulary_size}};
  return {{kState, json.dump()}};
}

absl::StatusOr<TrainingState> TrainingState::Load(const TrainerState& state) {
  const auto found = state.find(kState);
  if (found == state.end()) {
    return absl::DataLossError("checkpoint: holds no state of a topic training");
  }
  const nlohmann::json json = nlohmann::json::parse(found->second, nullptr, false);
  try {
    TrainingState result;
    result.sweep = json.at("sweep").get<std::uint32_t>();
    result.tokens = json.at("tokens").get<std::uint64_t>();
    result.seed = json.at("seed").get<std::uint64_t>();
    result.priors.alpha = json.at("alpha").get<std::vector<double>>();
    result.priors.beta = json.at("beta").get<double>();
    result.priors.vocabulary_size = json.at("vocabulary_size").get<std::uint64_t>();
    return result;
  } catch (const nlohmann::json::exception& problem) {
    return absl::DataLossError(
        absl::StrCat("checkpoint: its state of a topic training is damaged: ", problem.what()));
  }
}

std::string TokenTopics::PathOf(std::uint32_t sweep) const {
  return absl::StrFormat("%s/%06d", directory_, sweep);
}

absl::Status TokenTopics::Begin(std::uint32_t sweep) const {
  std::error_code error;
  std::filesystem::create_directories(PathOf(sweep), error);
  if (!error) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat("directory '", PathOf(sweep), "': ", error.message()));
}

absl::StatusOr<std::vector<std::uint32_t>> TokenTopics::Read(std::uint32_t sweep,
                                                             std::uint32_t block,
                                                             std::size_t tokens,
                                                             std::uint32_t topic_count) const {
  const std::string path = absl::StrFormat("%s/%05d.topics", PathOf(sweep), block);
  LONGTAIL_ASSIGN_OR_RETURN(auto arrays, ReadNumberFile(path, 1));
  const bool is_fine = arrays[0].size() == tokens &&
                       std::ranges::all_of(arrays[0], [&](auto k) { return k < topic_count; });
  if (is_fine) return std::move(arrays[0]);
  return absl::DataLossError(absl::StrCat("'", path, "': wanted ", tokens, " topics below ",
                                          topic_count, ": it is of another training"));
}

absl::Status TokenTopics::Write(std::uint32_t sweep, std::uint32_t block,
                                const std::vector<std::uint32_t>& topics) const {
  const std::span<const std::uint32_t> arrays[] = {topics};
  return WriteNumberFile(absl::StrFormat("%s/%05d.topics", PathOf(sweep), block), arrays);
}

void TokenTopics::KeepOnly(std::uint32_t one, std::uint32_t other) const {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(directory_, error)) {
    const std::string path = entry.path().string();
    if (path == PathOf(one) || path == PathOf(other)) continue;
    std::filesystem::remove_all(entry.path(), error);  // What stays takes room, and no more.
  }
}

}  // namespace longtail::examples
