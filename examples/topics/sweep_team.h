// The workers of a training: threads that take one block after the other, until a sweep is done.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "examples/topics/block_sweep.h"
#include "examples/topics/document_store.h"
#include "examples/topics/prior_fit.h"
#include "examples/topics/training_state.h"
#include "examples/topics/word_topics.h"

namespace longtail::examples {

/// Thread: one owner. Run has threads of its own.
class SweepTeam {
 public:
  /// A worker for each of `counts`. All must outlive this object.
  SweepTeam(const SweepOptions& options, const DocumentStore& documents, const TokenTopics& topics,
            std::vector<std::unique_ptr<WordTopics>>& counts)
      : options_(options), documents_(documents), topics_(topics), counts_(counts) {}

  struct Result {
    std::uint64_t moved = 0;    ///< Tokens that got another topic.
    std::vector<double> alpha;  ///< What fits the documents better, see AlphaFit; if asked for.
  };

  /// Does the sweep behind those that `state` has: reads the topics of state.sweep (of sweep 0
  /// there are none, and any are drawn first) and writes those of the next. All changes have
  /// arrived when it returns.
  ///
  /// Errors: the first that a worker met; the others stop at the end of their blocks.
  absl::StatusOr<Result> Run(const TrainingState& state, bool fits_alpha);

 private:
  absl::Status SweepBlock(const TrainingState& state, std::uint32_t index, BlockSweep& sweep,
                          AlphaFit* fit) const;

  const SweepOptions options_;
  const DocumentStore& documents_;
  const TokenTopics& topics_;
  std::vector<std::unique_ptr<WordTopics>>& counts_;
};

}  // namespace longtail::examples
