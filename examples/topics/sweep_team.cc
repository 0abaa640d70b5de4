#include "examples/topics/sweep_team.h"

#include <atomic>
#include <optional>
#include <thread>
#include <utility>

#include "base/random.h"
#include "base/status_macros.h"

namespace longtail::examples {

absl::Status SweepTeam::SweepBlock(const TrainingState& state, std::uint32_t index,
                                   BlockSweep& sweep, AlphaFit* fit) const {
  LONGTAIL_ASSIGN_OR_RETURN(const TokenBlock block, documents_.ReadBlock(index));
  std::vector<std::uint32_t> topics(block.token_count(), kNoTopic);
  if (state.sweep > 0) {
    LONGTAIL_ASSIGN_OR_RETURN(
        topics, topics_.Read(state.sweep, index, block.token_count(), state.priors.topic_count()));
  }
  DocumentTopics documents;
  documents.Count(block, topics);
  const std::uint64_t seed = RandomStream(RandomStream(state.seed, state.sweep), index);
  if (state.sweep == 0) {  // The topics to begin with, before the first sweep.
    LONGTAIL_RETURN_IF_ERROR(sweep.Run(block, ~seed, topics, documents));
  }
  LONGTAIL_RETURN_IF_ERROR(sweep.Run(block, seed, topics, documents));
  if (fit != nullptr) fit->Add(documents);
  return topics_.Write(state.sweep + 1, index, topics);
}

absl::StatusOr<SweepTeam::Result> SweepTeam::Run(const TrainingState& state, bool fits_alpha) {
  LONGTAIL_RETURN_IF_ERROR(topics_.Begin(state.sweep + 1));
  struct Part {
    absl::Status status;
    std::uint64_t moved = 0;
    std::optional<AlphaFit> fit;
  };
  std::vector<Part> parts(counts_.size());
  std::atomic<std::uint32_t> next_block = 0;
  std::atomic<bool> has_failed = false;
  const auto work = [&](std::size_t worker) {
    Part& part = parts[worker];
    if (fits_alpha) part.fit.emplace(state.priors);
    BlockSweep sweep(options_, documents_.vocabulary().keys(), state.priors, *counts_[worker]);
    while (part.status.ok() && !has_failed) {
      const std::uint32_t block = next_block++;
      if (block >= documents_.block_count()) break;
      part.status = SweepBlock(state, block, sweep, part.fit ? &*part.fit : nullptr);
    }
    if (part.status.ok()) part.status = counts_[worker]->Flush();
    if (!part.status.ok()) has_failed = true;
    part.moved = sweep.moved();
  };
  std::vector<std::thread> threads;
  for (std::size_t worker = 1; worker < counts_.size(); ++worker)
    threads.emplace_back(work, worker);
  work(0);
  for (std::thread& thread : threads) thread.join();
  Result result;
  for (const Part& part : parts) {
    LONGTAIL_RETURN_IF_ERROR(part.status);
    result.moved += part.moved;
    if (part.fit && &part != &parts[0]) parts[0].fit->Add(*part.fit);
  }
  if (fits_alpha) result.alpha = parts[0].fit->Step();
  return result;
}

}  // namespace longtail::examples
