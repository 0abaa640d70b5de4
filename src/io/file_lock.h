// A lock on a directory: a file in it that the process holds with flock.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "io/store_lock.h"

namespace longtail {

class FileLock final : public StoreLock {
 public:
  /// Locks "NAME~lock" in `directory`, which is made.
  ///
  /// Errors: FailedPrecondition naming the process that holds it; Unavailable naming the path and
  ///         the system's reason; as FileStore::Open.
  static absl::StatusOr<std::unique_ptr<StoreLock>> Acquire(const std::string& directory,
                                                            const std::string& name);
  ~FileLock() override;

 private:
  explicit FileLock(int fd) : fd_(fd) {}

  const int fd_;
};

}  // namespace longtail
