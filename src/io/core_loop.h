// The shell of a core: one thread that receives, steps the core and carries out its effects.
//
// The core is touched only under the loop's lock: by the loop's thread, or by a caller inside Do.
#pragma once

#include <deque>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "base/mutex.h"
#include "io/blob_store.h"
#include "io/eviction_audit.h"
#include "io/lane_log_writer.h"
#include "io/loop_meter.h"
#include "io/transport.h"
#include "protocol/step.h"

namespace longtail {

struct SnapshotBuffers;

/// Owns one thread from construction to destruction. `core`, `transport`, `audit`, `log`,
/// `meter` and `store` (may be null: then every write is refused) must outlive it.
class CoreLoop {
 public:
  struct Options {
    std::string name;  ///< The thread's name, for debuggers: at most 15 characters.
    BlobStore* store = nullptr;
    EvictionAudit* audit = nullptr;  ///< Null: evictions are not written down.
    LaneLogWriter* log = nullptr;    ///< Null: the core keeps no log.
    LoopMeter* meter = nullptr;      ///< Null: nothing is counted.
    /// Called for every Completion, under the loop's lock: must not block or call back.
    std::function<void(const Completion&)> on_completion = {};
  };

  CoreLoop(Core& core, Transport& transport, Options options);
  CoreLoop(const CoreLoop&) = delete;
  CoreLoop& operator=(const CoreLoop&) = delete;

  /// Stops the thread after the event it handles, and the one for writes in the background after
  /// the write that is under way; then the log.
  ~CoreLoop();

  /// Runs `call` on the core on the caller's thread and carries out what follows, before it
  /// returns.
  void Do(absl::FunctionRef<void(absl::Time now, Effects& effects)> call);

 private:
  void Run();
  void CarryOut(absl::Time now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  StoreAnswer Write(const StoreWrite& write, SnapshotBuffers& buffers) const;
  void RunBackground();
  std::vector<StoreAnswer> TakeStored();

  Core& core_;
  Transport& transport_;
  const Options options_;

  Mutex mutex_;
  Effects effects_ ABSL_GUARDED_BY(mutex_);
  std::vector<StoreWrite> writes_ ABSL_GUARDED_BY(mutex_);
  absl::Time wake_at_ ABSL_GUARDED_BY(mutex_) = absl::InfiniteFuture();
  bool stop_ ABSL_GUARDED_BY(mutex_) = false;
  Mutex background_mutex_;  // Taken last.
  CondVar background_changed_;
  std::deque<StoreWrite> background_ ABSL_GUARDED_BY(background_mutex_);
  std::vector<StoreAnswer> stored_ ABSL_GUARDED_BY(background_mutex_);
  bool background_stop_ ABSL_GUARDED_BY(background_mutex_) = false;
  std::thread background_thread_ ABSL_GUARDED_BY(mutex_);  // From the first such write on.
  std::thread thread_;                                     // Last: it uses all the others.
};

}  // namespace longtail
