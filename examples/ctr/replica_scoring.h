// Scores a batch with a replica's worker and model.
#pragma once

#include <cstdint>
#include <optional>

#include "absl/status/status.h"
#include "examples/ctr/replica.h"
#include "examples/ctr/trainer.h"

namespace longtail::examples {

/// As Trainer::Score. `slot` is memory that is used again; the batch is left as it was.
absl::Status ScoreBatch(Replica& replica, ReplicaSlot& slot, Batch& batch,
                        std::optional<std::uint32_t> field, Trainer::Scores& scores);

}  // namespace longtail::examples
