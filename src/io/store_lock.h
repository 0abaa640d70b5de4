// A store that one process at a time may use for a purpose.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace longtail {

/// Holds a lock until it is destroyed, or its process ends, in whatever way: the system lets go of
/// it then. Thread: any.
class StoreLock {
 public:
  /// Locks "NAME.lock~" in the directory of `store` (as OpenStore), which is made. '~' is in no
  /// blob's name, so the file is no blob. It stays when the lock is gone.
  ///
  /// Errors: FailedPrecondition naming the process that holds it; Unavailable naming the path and
  ///         the system's reason; as OpenStore.
  static absl::StatusOr<std::unique_ptr<StoreLock>> Acquire(const std::string& store,
                                                            const std::string& name);
  ~StoreLock();
  StoreLock(const StoreLock&) = delete;
  StoreLock& operator=(const StoreLock&) = delete;

 private:
  explicit StoreLock(int fd) : fd_(fd) {}

  const int fd_;
};

}  // namespace longtail
