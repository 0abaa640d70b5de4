// Batches read ahead by a thread of its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "base/mutex.h"
#include "examples/common/data/batch_source.h"

namespace longtail::examples {

struct PipelineOptions {
  std::size_t batch_size = 1024;               ///< Examples a batch; the last one may be shorter.
  std::size_t depth = 4;                       ///< Batches held ready, at least 1.
  absl::Duration wait_max = absl::Minutes(5);  ///< The longest that Next waits for a batch.
};

/// Reads a source in a background thread. What it gives does not depend on timing: it is what the
/// source gives, in its order.
///
/// Thread: owns one, from construction to destruction. One thread calls Next.
class BatchPipeline {
 public:
  /// Starts reading at once.
  BatchPipeline(std::unique_ptr<BatchSource> source, const PipelineOptions& options);

  /// Stops the source and waits for the thread: as long as one read of the operating system.
  ~BatchPipeline();

  BatchPipeline(const BatchPipeline&) = delete;
  BatchPipeline& operator=(const BatchPipeline&) = delete;

  /// Swaps the next batch into `batch` (the memory of the old one is reused); size 0 is the end.
  ///
  /// Errors: that of the source, after all batches before it; DeadlineExceeded if none came within
  /// wait_max, after which Next may be called again.
  [[nodiscard]] absl::Status Next(Batch& batch);

  const FeatureLayout& layout() const { return source_->layout(); }

  /// Batches given so far: where a resumed training goes on.
  std::uint64_t given_count() const { return given_count_; }

 private:
  void Run();
  bool HasBatch() const ABSL_SHARED_LOCKS_REQUIRED(mutex_);
  bool HasRoom() const ABSL_SHARED_LOCKS_REQUIRED(mutex_);

  const std::unique_ptr<BatchSource> source_;
  const PipelineOptions options_;
  std::uint64_t given_count_ = 0;

  Mutex mutex_;
  CondVar changed_;  // Of what follows, what the other thread may wait for.
  std::deque<Batch> ready_ ABSL_GUARDED_BY(mutex_);
  std::vector<Batch> spare_ ABSL_GUARDED_BY(mutex_);  // Used batches, for their memory.
  absl::Status end_ ABSL_GUARDED_BY(mutex_);
  bool is_done_ ABSL_GUARDED_BY(mutex_) = false;  // The source has ended, as end_ says.
  bool stop_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace longtail::examples
