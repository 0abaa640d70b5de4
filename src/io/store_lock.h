// A store that one process at a time may use for a purpose.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace longtail {

/// Holds a lock until it is destroyed, or its process ends, in whatever way. On a directory the
/// system lets go of it then; in Ceph and etcd its lease does, some seconds later. Thread: any.
class StoreLock {
 public:
  /// Called at most once, by a thread of the lock's own, when another process has it: a lease can
  /// run out under who was held up for so long. It must not destroy the lock.
  using OnLost = std::function<void(const absl::Status& why)>;

  /// Locks what `address` names, as OpenStore or OpenMetaStore take it, for the purpose `name`. A
  /// directory is made. What stands for the lock stays when the lock is gone, and is no blob.
  ///
  /// Errors: FailedPrecondition naming the process that holds it; as OpenStore.
  /// Cost:   in Ceph and etcd, where a lock may be of a process that ended, a wait for its lease.
  static absl::StatusOr<std::unique_ptr<StoreLock>> Acquire(const std::string& address,
                                                            const std::string& name,
                                                            OnLost on_lost = {});
  StoreLock() = default;
  virtual ~StoreLock() = default;
  StoreLock(const StoreLock&) = delete;
  StoreLock& operator=(const StoreLock&) = delete;
};

/// What a lock is called where it lies. '~' is in no blob's name.
inline std::string StoreLockName(const std::string& name) {
  return name + "~lock";
}

}  // namespace longtail
