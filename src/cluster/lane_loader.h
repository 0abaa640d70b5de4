// Brings a replica the rows of a checkpoint, by a thread of its own: the replica's goes on
// meanwhile.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "base/log.h"
#include "base/mutex.h"
#include "io/blob_store.h"
#include "protocol/messages.h"
#include "server/replica_core.h"

namespace longtail {

/// Thread: any.
class LaneLoader {
 public:
  using Wanted = server::ReplicaCore::WantedRows;

  struct Options {
    std::string server;          ///< For the log and errors.
    BlobStore* store = nullptr;  ///< Where checkpoints are; null: the server was given none.
    absl::Duration retry_after = absl::Seconds(1);
    Log log{};
  };

  /// To whom rows go, on the loader's thread: see ReplicaCore::TakeRows and EndRows. After an
  /// error of `take` nothing more of that ticket comes but the end.
  struct Replica {
    std::function<absl::Status(std::uint64_t ticket, const RowBlock& rows)> take;
    std::function<void(std::uint64_t ticket, const absl::Status& status)> end;
  };

  LaneLoader(Options options, Replica replica)
      : options_(std::move(options)), replica_(std::move(replica)) {}
  ~LaneLoader() { Stop(); }
  LaneLoader(const LaneLoader&) = delete;
  LaneLoader& operator=(const LaneLoader&) = delete;

  /// What is wanted now, or nothing; what was wanted before is given up. Never blocks for long.
  void Want(const std::optional<Wanted>& wanted);

  /// Gives up what it does, and waits for it.
  void Stop();

 private:
  void Run();
  absl::Status Load(const Wanted& wanted);
  bool IsWanted(std::uint64_t ticket);

  const Options options_;
  const Replica replica_;
  Mutex mutex_;
  CondVar changed_;
  std::optional<Wanted> wanted_ ABSL_GUARDED_BY(mutex_);
  bool stop_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;  // From the first that is wanted on.
};

}  // namespace longtail
