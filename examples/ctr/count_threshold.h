// A count threshold, as preprocessing has it: features seen too seldom are dropped before training
// begins. It is here to be compared with (docs/QUALITY.md): it cuts the tail that Longtail keeps.
//
// One pass over the training data counts every feature. One seen fewer than `below` times is then,
// in training and in scoring, its field's shared key and nothing else, as are features never seen.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "examples/common/data/batch.h"
#include "examples/common/data/batch_pipeline.h"

namespace longtail::examples {

class CountThreshold {
 public:
  /// Counts all that `batches` gives. Errors: those of the data.
  static absl::StatusOr<CountThreshold> Make(std::uint32_t below, BatchPipeline& batches);

  /// How often the counting pass saw each key of a batch: [batch.keys.size()].
  void CountsOf(const Batch& batch, std::vector<std::uint32_t>& counts) const;

  /// Replaces the keys of rare features by those of their fields.
  void Apply(Batch& batch) const;

 private:
  explicit CountThreshold(std::uint32_t below) : below_(below) {}
  std::uint32_t CountOf(Key key) const;

  std::uint32_t below_;
  absl::flat_hash_map<Key, std::uint32_t> counts_;
};

}  // namespace longtail::examples
