// What the tables of a cluster are called, as the newest map has it: for what is said of tables by
// name while messages have their numbers.
//
// Thread: any.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "base/mutex.h"
#include "protocol/cluster_map.h"

namespace longtail {

class TableNames {
 public:
  void Set(const ClusterMap& map) {
    std::vector<std::string> names;
    names.reserve(map.tables.size());
    for (const TableSpec& spec : map.tables) names.push_back(spec.name);
    const MutexLock lock(&mutex_);
    names_ = std::move(names);
  }

  /// Empty: nobody told of it yet.
  std::string Of(TableId table) const {
    const MutexLock lock(&mutex_);
    const auto number = static_cast<std::size_t>(table);
    return number < names_.size() ? names_[number] : std::string();
  }

 private:
  mutable Mutex mutex_;
  std::vector<std::string> names_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace longtail
