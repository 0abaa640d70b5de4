#include "io/loop_meter.h"

#include <algorithm>

namespace longtail {
namespace {

std::uint64_t Nanoseconds(absl::Duration duration) {
  // A clock may be set back.
  return static_cast<std::uint64_t>(std::max<std::int64_t>(absl::ToInt64Nanoseconds(duration), 0));
}

double Seconds(std::uint64_t nanoseconds) {
  return static_cast<double>(nanoseconds) * 1e-9;
}

// As only one thread writes, no other's addition can be lost.
void AddTo(std::atomic<std::uint64_t>& sum, std::uint64_t more) {
  sum.store(sum.load(std::memory_order_relaxed) + more, std::memory_order_relaxed);
}

}  // namespace

void DurationCounts::Add(absl::Duration duration) {
  const std::uint64_t nanoseconds = Nanoseconds(duration);
  const auto bound = std::ranges::lower_bound(kBounds, Seconds(nanoseconds));
  AddTo(counts_[static_cast<std::size_t>(bound - kBounds.begin())], 1);
  AddTo(nanoseconds_, nanoseconds);
}

DurationCounts::Reading DurationCounts::Read() const {
  Reading reading;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    reading.counts[i] = counts_[i].load(std::memory_order_relaxed);
    reading.count += reading.counts[i];
  }
  reading.seconds = Seconds(nanoseconds_.load(std::memory_order_relaxed));
  return reading;
}

void LoopMeter::NoteAnswer(const Message& message, absl::Time now) {
  std::visit(
      [&]<typename T>(const T& m) {
        if constexpr (requires { m.status.ok(); }) {
          if (!m.status.ok()) {
            AddTo(refusals_[std::min(static_cast<std::size_t>(m.status.code()), kCodes - 1)], 1);
          } else if constexpr (std::is_same_v<T, SnapshotReply>) {
            AddTo(snapshots_, 1);
            last_snapshot_at_ = absl::ToUnixMicros(now);
          }
        }
      },
      message);
}

void LoopMeter::NoteWrite(std::size_t bytes, bool is_ok, absl::Duration took) {
  (is_ok ? writes_ : failed_writes_) += 1;
  if (is_ok) written_bytes_ += bytes;
  write_nanoseconds_ += Nanoseconds(took);
}

absl::Time LoopMeter::turned_at() const {
  const std::int64_t at = turned_at_;
  return at == kNever ? absl::InfinitePast() : absl::FromUnixMicros(at);
}

absl::Time LoopMeter::last_snapshot_at() const {
  const std::int64_t at = last_snapshot_at_;
  return at == kNever ? absl::InfinitePast() : absl::FromUnixMicros(at);
}

LoopMeter::Writes LoopMeter::writes() const {
  return {.count = writes_,
          .bytes = written_bytes_,
          .failed = failed_writes_,
          .seconds = Seconds(write_nanoseconds_)};
}

}  // namespace longtail
