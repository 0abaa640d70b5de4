// What a Pending and its worker share about one call.
#pragma once

#include <cstdint>
#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "base/mutex.h"
#include "longtail/worker.h"

namespace longtail {

/// Who can abandon a call; null once the worker is gone.
class CallOwner {
 public:
  virtual ~CallOwner() = default;
  virtual void Abandon(std::uint64_t call) = 0;
};

struct CallOwnerLink {
  Mutex mutex;
  CallOwner* owner ABSL_GUARDED_BY(mutex) = nullptr;
};

class Pending::State {
 public:
  /// Makes the state ready for a new call. Nobody else may hold it.
  void Start(std::shared_ptr<CallOwnerLink> link, absl::Time deadline);
  void SetCall(std::uint64_t call);

  void Finish(absl::Status status);
  absl::Status Wait();
  bool done() const;
  void Abandon();

 private:
  mutable Mutex mutex_;
  CondVar finished_;
  std::shared_ptr<CallOwnerLink> link_ ABSL_GUARDED_BY(mutex_);
  absl::Time deadline_ ABSL_GUARDED_BY(mutex_);
  std::uint64_t call_ ABSL_GUARDED_BY(mutex_) = 0;
  bool done_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status status_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace longtail
