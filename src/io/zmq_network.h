// The transport between processes: ZeroMQ sockets that carry frames (protocol/frame.h).
//
// An endpoint is one ROUTER socket. It may listen, and it may connect to others, whom it then
// knows by the node numbers it was given; who connects to it gets a number of its own, good for
// answers. A message is one frame; its large arrays are sent from where they lie, and used where
// ZeroMQ received them. ZeroMQ connects again by itself and resolves names again when it does.
//
// With keys (keyring.h) every connection is encrypted and both ends know each other: who listens by
// the cluster's key, who connects by a key on the list of clients; and what is not a client's to
// say (protocol/role.h) is answered with PermissionDenied. Without, anybody who reaches a socket
// may say anything.
//
// Keys may change while all that goes on: what listens does so with the new ones on the same
// addresses, which ends the connections there; who connects tries all that it trusts
// (key_choice.h).
//
// Nothing here promises delivery: what a peer's full queue or a lost connection swallows is sent
// again by the core that waits for an answer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/log.h"
#include "io/keyring.h"
#include "io/table_names.h"
#include "io/transport.h"

namespace longtail {

/// What an endpoint has done. `_dropped` messages were not sent, `refused` ones came and were none.
struct ZmqCounters {
  std::uint64_t sent = 0;
  std::uint64_t sent_bytes = 0;
  std::uint64_t received = 0;
  std::uint64_t received_bytes = 0;
  std::uint64_t full_dropped = 0;     ///< The peer's queue had no room, in messages or bytes.
  std::uint64_t unknown_dropped = 0;  ///< No such peer, or it is gone.
  std::uint64_t repeats_dropped = 0;  ///< The same request was still waiting to be sent.
  std::uint64_t refused = 0;          ///< No message of ours, or one too large.
  std::uint64_t denied = 0;           ///< Not its sender's to say.
  std::uint64_t deferred = 0;         ///< Its sender's allowance was used up: to be asked again.
};

/// Thread: any thread may send, wake and connect; Receive is the owner's loop's alone.
class ZmqEndpoint : public Transport {
 public:
  /// The addresses it listens on, with the port that the system chose where 0 was asked for.
  virtual const std::vector<std::string>& addresses() const = 0;

  /// Where `peer` is from now on: messages to it go there. Returns at once; nobody needs to be
  /// there yet. A peer that had another address is disconnected from it.
  ///
  /// Errors: InvalidArgument naming the address (no "tcp://host:port" or "ipc://path").
  virtual absl::Status Connect(NodeId peer, const std::string& address) = 0;

  virtual ZmqCounters counters() const = 0;
};

/// Sockets of one process. Must outlive its endpoints.
///
/// Thread: any.
class ZmqNetwork {
 public:
  struct Options {
    int io_threads = 1;  ///< Threads that move bytes, beside the loops.
    /// Bytes of messages to one peer that may wait to be sent; more are dropped and counted. One
    /// message goes through however large it is.
    std::size_t peer_bytes_max = std::size_t{512} << 20;
    /// A peer that is silent for three of these is taken for dead and connected to again.
    absl::Duration heartbeat = absl::Seconds(5);
    std::shared_ptr<Keyring> keys{};  ///< Null: connections are plain.
    /// With keys, where rows are: what clients that may use some tables alone ask for.
    std::shared_ptr<const TableNames> table_names{};
    Log log = {};  ///< Refused messages, at most one line a second and endpoint.
  };

  static absl::StatusOr<std::unique_ptr<ZmqNetwork>> Create(const Options& options);

  virtual ~ZmqNetwork() = default;

  /// A new endpoint called `self` that listens on `listen`: "tcp://host:port" (port 0: any free
  /// one; host * or 0.0.0.0: every interface) or "ipc://path"; or on nothing.
  ///
  /// Errors: Unavailable naming the address and what the system said (in use, not ours, no such
  ///         interface); FailedPrecondition (to listen, with keys that are not the cluster's).
  virtual absl::StatusOr<std::unique_ptr<ZmqEndpoint>> Join(
      NodeId self, std::span<const std::string> listen) = 0;

  /// Why nobody answers at an address, in words, keys among it. For error messages, after the fact.
  /// Takes at most twice `timeout`, but for the system's name resolution.
  virtual std::string Probe(const std::string& address, absl::Duration timeout) = 0;

  /// Connections to its sockets that were refused: their key is on no list.
  virtual std::uint64_t refused_clients() const = 0;

  /// Its keys; null: there are none.
  virtual std::shared_ptr<Keyring> keys() const = 0;
};

}  // namespace longtail
