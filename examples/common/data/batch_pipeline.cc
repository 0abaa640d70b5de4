#include "examples/common/data/batch_pipeline.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

namespace longtail::examples {

BatchPipeline::BatchPipeline(std::unique_ptr<BatchSource> source, const PipelineOptions& options)
    : source_(std::move(source)), options_(options) {
  thread_ = std::thread([this] { Run(); });
}

BatchPipeline::~BatchPipeline() {
  source_->RequestStop();
  {
    const MutexLock lock(&mutex_);
    stop_ = true;
    changed_.SignalAll();
  }
  thread_.join();
}

bool BatchPipeline::HasBatch() const {
  return !ready_.empty() || is_done_;
}

bool BatchPipeline::HasRoom() const {
  return ready_.size() < std::max<std::size_t>(options_.depth, 1) || stop_;
}

void BatchPipeline::Run() {
  const std::size_t batch_size = std::max<std::size_t>(options_.batch_size, 1);
  while (true) {
    Batch batch;
    {
      // Without a deadline: whoever holds the pipeline either takes a batch or destroys it, and
      // both end the wait.
      const MutexLock lock(&mutex_);
      while (!HasRoom()) changed_.Wait(&mutex_);
      if (stop_) return;
      if (!spare_.empty()) {
        batch = std::move(spare_.back());
        spare_.pop_back();
      }
    }
    absl::Status status = source_->Next(batch_size, batch);
    const MutexLock lock(&mutex_);
    if (!status.ok() || batch.size == 0) {
      end_ = std::move(status);
      is_done_ = true;
      changed_.SignalAll();
      return;
    }
    ready_.push_back(std::move(batch));
    changed_.SignalAll();
  }
}

absl::Status BatchPipeline::Next(Batch& batch) {
  const MutexLock lock(&mutex_);
  const absl::Time until = absl::Now() + options_.wait_max;
  while (!HasBatch()) {
    if (!changed_.WaitWithDeadline(&mutex_, until)) continue;
    if (HasBatch()) break;
    return absl::DeadlineExceededError(
        absl::StrCat("batch pipeline: no batch in ", absl::FormatDuration(options_.wait_max),
                     ": still reading batch ", given_count_, " from its source; wanted it sooner, ",
                     "or a longer wait_max"));
  }
  if (ready_.empty()) {
    batch.Clear();
    return end_;
  }
  std::swap(batch, ready_.front());
  spare_.push_back(std::move(ready_.front()));
  ready_.pop_front();
  changed_.SignalAll();
  ++given_count_;
  return absl::OkStatus();
}

}  // namespace longtail::examples
