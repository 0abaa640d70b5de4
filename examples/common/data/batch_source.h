// Anything that gives batches one after the other: files, a shuffle buffer, a generator, a thread.
#pragma once

#include <cstddef>

#include "absl/status/status.h"
#include "examples/common/data/batch.h"
#include "examples/common/data/feature_layout.h"

namespace longtail::examples {

/// A sequence of examples that is read once, from its beginning to its end.
///
/// Thread: one thread calls Next; any thread may call RequestStop.
class BatchSource {
 public:
  virtual ~BatchSource() = default;

  /// Replaces `batch` by the next examples, at most `example_count_max` (at least 1). A batch of
  /// size 0 is the end. The memory of `batch` is reused.
  ///
  /// Errors: what the source says; after an error the source gives nothing more.
  [[nodiscard]] virtual absl::Status Next(std::size_t example_count_max, Batch& batch) = 0;

  /// The same for every batch.
  virtual const FeatureLayout& layout() const = 0;

  /// Makes a Next that runs, and every later one, return Cancelled soon. A read of the operating
  /// system that blocks is waited for.
  virtual void RequestStop() {}
};

}  // namespace longtail::examples
