// Inputs of a dense model and what it made of them, as files of numpy: to try an exported model.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "examples/common/data/batch_pipeline.h"
#include "examples/ctr/ctr_trainer.h"

namespace longtail::examples {

/// Scores the first `count` examples and writes to the directory, which is made,
///
///   rows.npy [n, field_count, row_dim]   numbers.npy [n, numeric_count]
///   logit.npy, probability.npy [n]
///
/// all float32, and gives n: fewer than `count` if there are no more. With back-off these are the
/// rows as it leaves them.
///
/// Errors: those of the data and of the pulls; Unavailable if a file cannot be written.
absl::StatusOr<std::uint64_t> WritePredictionSamples(CtrTrainer& trainer, BatchPipeline& batches,
                                                     std::uint64_t count,
                                                     const std::string& directory);

}  // namespace longtail::examples
