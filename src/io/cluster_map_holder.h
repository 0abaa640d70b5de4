// The newest cluster map of a process.
//
// Thread: any.
#pragma once

#include <memory>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "base/mutex.h"
#include "protocol/cluster_map.h"

namespace longtail {

class ClusterMapHolder {
 public:
  explicit ClusterMapHolder(ClusterMap map)
      : map_(std::make_shared<const ClusterMap>(std::move(map))) {}

  std::shared_ptr<const ClusterMap> Current() const {
    const MutexLock lock(&mutex_);
    return map_;
  }

  /// Takes a map, unless it is older than the one there: answers that carry maps may overtake one
  /// another.
  void Replace(ClusterMap map) {
    auto next = std::make_shared<const ClusterMap>(std::move(map));
    const MutexLock lock(&mutex_);
    if (next->version >= map_->version) map_ = std::move(next);
  }

 private:
  mutable Mutex mutex_;
  std::shared_ptr<const ClusterMap> map_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace longtail
