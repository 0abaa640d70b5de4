// Where a socket listens, and with which of the cluster's keys.
//
// What is bound keeps the key of that moment. With another one it is bound anew, which ends the
// connections that were made there; their other ends make them again by themselves.
//
// Thread: one at a time, that of the socket.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/log.h"
#include "io/keyring.h"
#include "io/zmq_socket.h"

namespace longtail {

class ZmqListening {
 public:
  /// `keys`: null: there are none.
  ///
  /// Errors: Unavailable naming the address and what the system said.
  static absl::StatusOr<ZmqListening> Start(ZmqSocket& socket, std::span<const std::string> listen,
                                            const KeyPair* keys);

  /// With the port that the system chose where 0 was asked for.
  const std::vector<std::string>& addresses() const { return addresses_; }

  /// Listens no more, until Again has it listen with these.
  void Change(ZmqSocket& socket, const KeyPair& keys, absl::Time now);

  /// Whether Again is to be called, soon.
  bool is_away() const { return !away_.empty(); }

  /// Listens where nobody does any more: ZeroMQ's own thread takes a millisecond or two to let go
  /// of a port. (A socket's file is simply made anew.) What hinders it for seconds is logged, once.
  void Again(ZmqSocket& socket, absl::Time now, const Log& log);

  /// Whether that place is this end of a connection that somebody made to us.
  bool Has(std::string_view place);

 private:
  std::vector<std::string> addresses_;
  std::vector<std::string> away_;
  KeyPair keys_;
  absl::Time away_since_ = absl::InfinitePast();
  bool is_late_ = false;
  std::vector<std::string> own_hosts_;  // Of this machine; asked for once.
};

}  // namespace longtail
