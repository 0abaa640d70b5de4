#include "examples/ctr/replica_scoring.h"

#include <cstddef>
#include <utility>

#include "base/status_macros.h"
#include "examples/ctr/models/pooled_rows.h"
#include "examples/ctr/rarest_feature.h"

namespace longtail::examples {

absl::Status ScoreBatch(Replica& replica, ReplicaSlot& slot, Batch& batch,
                        std::optional<std::uint32_t> field, Trainer::Scores& scores) {
  std::swap(slot.batch, batch);
  absl::Status status = replica.Prepare(slot);
  if (status.ok()) status = replica.BeginPull(slot, Replica::Counts::kYes, std::nullopt);
  if (status.ok()) status = replica.FinishPull(slot);
  if (status.ok()) status = replica.Predict(slot);
  if (status.ok() && scores.wants_pooled_rows) {
    PoolRows(replica.model().spec(), replica.InputOf(slot), scores.pooled_rows);
  }
  std::swap(slot.batch, batch);
  LONGTAIL_RETURN_IF_ERROR(status);
  scores.logits.assign(replica.logits().begin(),
                       replica.logits().begin() + static_cast<std::ptrdiff_t>(batch.size));
  FindRarest(batch, slot.keys.inverse(), slot.counts, scores.rarest_counts);
  scores.field_counts.clear();
  if (field) {
    FindRarestOfField(batch, *field, slot.keys.inverse(), slot.counts, scores.field_counts);
  }
  return absl::OkStatus();
}

}  // namespace longtail::examples
