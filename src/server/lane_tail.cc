#include "server/lane_tail.h"

#include <utility>

#include "base/check.h"
#include "protocol/format_limits.h"

namespace longtail::server {

void LaneTail::Reset(std::uint64_t first) {
  frames_.clear();
  first_ = first;
}

void LaneTail::Append(std::span<const std::byte> frame, std::shared_ptr<const void> owner,
                      std::uint64_t time_us) {
  frames_.push_back({frame, std::move(owner), time_us, appended_});
  appended_ += frame.size();
}

std::size_t LaneTail::BytesFrom(std::uint64_t from) const {
  LONGTAIL_CHECK(from >= first_);
  return from >= end() ? 0 : appended_ - frames_[static_cast<std::size_t>(from - first_)].before;
}

void LaneTail::Copy(std::uint64_t from, std::size_t bytes_max, LaneEntries& answer) const {
  LONGTAIL_CHECK(from >= first_);
  answer.first = from;
  std::size_t bytes = 0;
  for (std::uint64_t number = from; number < end(); ++number) {
    const Frame& frame = frames_[static_cast<std::size_t>(number - first_)];
    bytes += frame.bytes.size();
    const bool is_first = answer.frames.empty();
    if (!is_first && (bytes > bytes_max || answer.frames.size() == kEntriesPerMessageMax)) return;
    answer.frames.push_back(frame.bytes);
    answer.times.push_back(frame.time_us);
    if (is_first || answer.owners.back() != frame.owner) answer.owners.push_back(frame.owner);
  }
}

void LaneTail::Trim(std::uint64_t end, std::size_t bytes_kept) {
  while (!frames_.empty() && first_ < end && BytesFrom(first_ + 1) >= bytes_kept) {
    frames_.pop_front();
    ++first_;
  }
}

}  // namespace longtail::server
