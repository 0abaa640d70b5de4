// The transport within one process: envelopes change hands by pointer.
//
// Delivery is in order between two nodes and loses nothing, except to a node that is gone.
#pragma once

#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "base/mutex.h"
#include "io/transport.h"

namespace longtail {

/// Makes endpoints and lets them find one another. Must outlive them.
///
/// Thread: any.
class LoopbackNetwork {
 public:
  LoopbackNetwork() = default;
  LoopbackNetwork(const LoopbackNetwork&) = delete;
  LoopbackNetwork& operator=(const LoopbackNetwork&) = delete;

  /// A new node, with the next free number.
  std::unique_ptr<Transport> Join();

 private:
  friend class LoopbackEndpoint;
  struct Mailbox {
    Mutex mutex;
    CondVar arrived;
    std::vector<Envelope> events ABSL_GUARDED_BY(mutex);
    bool woken ABSL_GUARDED_BY(mutex) = false;
    bool gone ABSL_GUARDED_BY(mutex) = false;
  };

  std::shared_ptr<Mailbox> Find(NodeId node);

  Mutex mutex_;
  std::vector<std::shared_ptr<Mailbox>> mailboxes_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace longtail
