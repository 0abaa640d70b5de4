#include "examples/online/event_merge.h"

#include <algorithm>
#include <utility>

namespace longtail::examples {

void EventMerge::Put(std::size_t partition, std::int64_t offset, std::optional<Event> event) {
  queues_[partition].push_back({offset, std::move(event)});
  Skip(partition);
}

void EventMerge::Skip(std::size_t partition) {
  std::deque<Entry>& queue = queues_[partition];
  while (!queue.empty() && !queue.front().event) {
    positions_[partition].next = queue.front().offset + 1;
    queue.pop_front();
    ++unreadable_;
  }
}

std::optional<std::size_t> EventMerge::WaitsFor() const {
  for (std::size_t i = 0; i < queues_.size(); ++i) {
    if (queues_[i].empty()) return i;
  }
  return std::nullopt;
}

std::optional<Event> EventMerge::Next() {
  if (queues_.empty() || WaitsFor()) return std::nullopt;
  const auto time = [&](std::size_t i) {
    return std::max(queues_[i].front().event->at_ms, positions_[i].at_ms);
  };
  std::size_t first = 0;
  for (std::size_t i = 1; i < queues_.size(); ++i) {
    if (time(i) < time(first)) first = i;
  }
  const std::int64_t at_ms = time(first);
  Entry entry = std::move(queues_[first].front());
  queues_[first].pop_front();
  if (entry.event->at_ms < at_ms) ++out_of_order_;
  entry.event->at_ms = at_ms;
  positions_[first] = {.next = entry.offset + 1, .at_ms = at_ms};
  Skip(first);
  return std::move(entry.event);
}

}  // namespace longtail::examples
