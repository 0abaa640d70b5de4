// What a joiner remembers, written now and then into a store of its own, and read when it is
// started again.
//
// A state is a checkpoint of a cluster without tables, with all that there is in the trainer's
// state: so directories and Ceph, checksums, and `longtail ckpt ls`, `verify` and `gc` are those of
// checkpoints. Names grow: joiner-000000017-3fa81c05, the last part another one for each process.
//
// Any state is a right one to begin from, since what a joiner sends follows from its logs: an older
// one has more to do again. So two joiners in one store do no harm; but one is too many, and ends.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "longtail/cluster.h"

namespace longtail::examples {

/// Thread: one at a time. Owns those of a cluster.
class JoinerStates {
 public:
  /// Errors: those of Cluster::Embedded and ListCheckpoints; FailedPrecondition (the store has
  ///         checkpoints that are no joiner's).
  static absl::StatusOr<std::unique_ptr<JoinerStates>> Open(const std::string& store);

  /// Where the newest one is; none if there is none. Of Open, then of what was written last.
  const std::optional<CheckpointName>& newest() const { return newest_; }

  /// Writes the next one; what it has is durable then.
  ///
  /// Errors: FailedPrecondition, naming the state of another joiner that came since Open; those of
  ///         Cluster::Checkpoint.
  absl::Status Write(const TrainerState& state);

 private:
  JoinerStates(std::string store, std::unique_ptr<Cluster> cluster,
               std::optional<CheckpointName> newest, std::uint64_t next);

  const std::string store_;
  const std::unique_ptr<Cluster> cluster_;
  const std::uint32_t process_;  // The last part of names.
  std::optional<CheckpointName> newest_;
  std::uint64_t next_ = 0;
};

}  // namespace longtail::examples
