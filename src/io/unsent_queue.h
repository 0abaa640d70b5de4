// What ZeroMQ has of a peer's messages and has not sent yet.
//
// Thread: any. It outlives the peer: ZeroMQ's own threads take from it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "base/mutex.h"

namespace longtail {

class UnsentQueue {
 public:
  std::size_t bytes() const {
    const MutexLock lock(&mutex_);
    return bytes_;
  }

  /// Whether that message waits here already: sending it again would only take memory.
  bool Holds(const void* message) const {
    const MutexLock lock(&mutex_);
    return message != nullptr && std::ranges::find(messages_, message) != messages_.end();
  }

  /// `message` tells it from others; null for one that is small and sent once.
  void Add(const void* message, std::size_t bytes) {
    const MutexLock lock(&mutex_);
    bytes_ += bytes;
    if (message != nullptr) messages_.push_back(message);
  }

  void Remove(const void* message, std::size_t bytes) {
    const MutexLock lock(&mutex_);
    bytes_ -= bytes;
    const auto found = std::ranges::find(messages_, message);
    if (message != nullptr && found != messages_.end()) messages_.erase(found);
  }

 private:
  mutable Mutex mutex_;
  std::size_t bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  std::vector<const void*> messages_ ABSL_GUARDED_BY(mutex_);  // Oldest first: sent first.
};

}  // namespace longtail
