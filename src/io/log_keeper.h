// Keeps a server's logs for a while, so that each moment of that time can be made again, and then
// removes them.
//
// Of each log the newest base that is old enough stays, and all behind it; a log that is over
// (another took its place, or its lane went elsewhere) stays until that is long enough ago. So what
// is removed is of no moment within the time, and, as what a log's writer removes without it, in an
// order that leaves a whole log or none, wherever it ends.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/log.h"
#include "base/mutex.h"
#include "io/blob_store.h"

namespace longtail {

/// Removes what is of no moment since `horizon`.
///
/// Thread: one at a time.
class LogPruning {
 public:
  /// `store` must outlive it.
  LogPruning(BlobStore& store, std::string server) : store_(store), server_(std::move(server)) {}

  /// How many blobs it removed. What it could not remove it removes the next time.
  ///
  /// Errors: what the store says; as DecodeLaneBase, if a base is damaged.
  absl::StatusOr<std::uint64_t> Run(absl::Time horizon);

 private:
  absl::StatusOr<absl::Time> TimeOf(const std::string& base);

  BlobStore& store_;
  const std::string server_;
  std::map<std::string, absl::Time> times_;  // Of bases, by name: a base never changes.
};

/// Owns a thread that does so now and then.
class LogKeeper {
 public:
  struct Options {
    BlobStore* store = nullptr;  ///< Must outlive it.
    std::string server;
    absl::Duration keep;  ///< More than 0.
    Log log{};
  };

  explicit LogKeeper(Options options);
  ~LogKeeper();
  LogKeeper(const LogKeeper&) = delete;
  LogKeeper& operator=(const LogKeeper&) = delete;

 private:
  void Run();

  const Options options_;
  Mutex mutex_;
  CondVar changed_;
  bool stop_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace longtail
