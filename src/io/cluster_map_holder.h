// The newest cluster map of a process.
//
// Thread: any.
#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "base/mutex.h"
#include "protocol/cluster_map.h"

namespace longtail {

class ClusterMapHolder {
 public:
  using OnNewer = std::function<void(const std::shared_ptr<const ClusterMap>&)>;

  /// `on_newer` is called with each map that replaces an older one, by who brings it.
  explicit ClusterMapHolder(ClusterMap map, OnNewer on_newer = {})
      : on_newer_(std::move(on_newer)), map_(std::make_shared<const ClusterMap>(std::move(map))) {}

  std::shared_ptr<const ClusterMap> Current() const {
    const MutexLock lock(&mutex_);
    return map_;
  }

  /// Takes a map, unless it is older than the one there: answers that carry maps may overtake one
  /// another.
  void Replace(ClusterMap map) {
    auto next = std::make_shared<const ClusterMap>(std::move(map));
    {
      const MutexLock lock(&mutex_);
      if (next->version < map_->version) return;
      const bool is_newer = next->version > map_->version;
      map_ = next;
      if (!is_newer) return;
    }
    if (on_newer_) on_newer_(next);
  }

 private:
  const OnNewer on_newer_;
  mutable Mutex mutex_;
  std::shared_ptr<const ClusterMap> map_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace longtail
