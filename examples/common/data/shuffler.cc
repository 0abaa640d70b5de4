#include "examples/common/data/shuffler.h"

#include <algorithm>
#include <utility>

#include "absl/status/statusor.h"
#include "examples/common/data/counter_random.h"

namespace longtail::examples {
namespace {

constexpr std::size_t kReadAhead = 1024;  // Examples asked of the source at a time.

}  // namespace

Shuffler::Shuffler(std::unique_ptr<BatchSource> source, const ShuffleOptions& options)
    : source_(std::move(source)),
      buffer_size_(std::max<std::size_t>(options.buffer_size, 1)),
      stream_(RandomStream(options.seed, options.epoch)),
      store_(source_->layout()) {}

absl::Status Shuffler::Next(std::size_t example_count_max, Batch& batch) {
  BatchWriter writer(layout(), batch);
  while (!writer.IsFull(example_count_max)) {
    if (absl::Status status = Fill(); !status.ok()) return status;
    if (store_.size() == 0) break;
    const std::size_t slot = Draw();
    store_.Write(slot, writer);
    if (absl::Status status = Take(slot); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status Shuffler::Skip(std::uint64_t example_count) {
  for (; example_count > 0; --example_count) {
    if (absl::Status status = Fill(); !status.ok()) return status;
    if (store_.size() == 0) break;
    if (absl::Status status = Take(Draw()); !status.ok()) return status;
  }
  return absl::OkStatus();
}

// Whether ahead_ has an example that is not in the store yet.
absl::StatusOr<bool> Shuffler::ReadAhead() {
  if (ahead_next_ < ahead_.size) return true;
  if (at_end_) return false;
  ahead_next_ = 0;
  if (absl::Status status = source_->Next(kReadAhead, ahead_); !status.ok()) {
    ahead_.Clear();
    return status;
  }
  at_end_ = ahead_.size == 0;
  return !at_end_;
}

absl::Status Shuffler::Fill() {
  while (store_.size() < buffer_size_ && !at_end_) {
    const absl::StatusOr<bool> found = ReadAhead();
    if (!found.ok()) return found.status();
    if (*found) store_.Add(ahead_, ahead_next_++);
  }
  return absl::OkStatus();
}

std::size_t Shuffler::Draw() {
  return BelowOf(RandomBits(stream_, draw_count_++), store_.size());
}

// Puts the next example of the source into `slot`, or removes it if there is none.
absl::Status Shuffler::Take(std::size_t slot) {
  const absl::StatusOr<bool> found = ReadAhead();
  if (!found.ok()) return found.status();
  if (*found) {
    store_.Replace(slot, ahead_, ahead_next_++);
  } else {
    store_.Remove(slot);
  }
  return absl::OkStatus();
}

}  // namespace longtail::examples
