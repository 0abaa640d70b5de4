// The seam between cores and the network: who carries envelopes.
//
// Two implementations: loopback (within a process, by pointer) and, in tests, one that loses,
// repeats and reorders, and one that sends every message through the wire codec.
#pragma once

#include <vector>

#include "absl/time/time.h"
#include "protocol/messages.h"

namespace longtail {

/// One node's end of a transport.
class Transport {
 public:
  virtual ~Transport() = default;

  virtual NodeId node() const = 0;

  /// Hands an envelope over and returns at once. Delivery is not promised: who needs an answer
  /// waits for it with a deadline. Thread: any.
  virtual void Send(Envelope envelope) = 0;

  /// Moves all that has arrived to the end of `events`; if there is nothing, waits until something
  /// arrives, Wake is called, or `until` has come. Thread: the node's own loop.
  virtual void Receive(absl::Time until, std::vector<Envelope>& events) = 0;

  /// Makes a waiting Receive return. Thread: any.
  virtual void Wake() = 0;
};

}  // namespace longtail
