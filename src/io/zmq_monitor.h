// What becomes of a socket's connections: whether the other side took the keys.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "io/zmq_socket.h"

namespace longtail {

/// Thread: one at a time, that of the socket.
class ZmqMonitor {
 public:
  enum class Kind : std::uint8_t {
    kBegun,    ///< Somebody is there: a handshake begins.
    kLetIn,    ///< A handshake ended well.
    kRefused,  ///< One did not: the other side hung up, or was silent for too long.
    kLost,     ///< A connection ended.
  };
  struct Event {
    Kind kind = Kind::kLost;
    /// Where to, or, of those who connected here, this end. At a connection's first attempt as it
    /// was given; later its host may be the address that its name had.
    std::string address;
  };

  /// Of what `socket` does from now on. The socket must outlive it. Null: ZeroMQ has no memory.
  static std::unique_ptr<ZmqMonitor> Start(void* context, ZmqSocket& socket);
  ~ZmqMonitor();

  /// The next one; waits for it until then at most.
  std::optional<Event> Next(absl::Time until);

  /// Becomes readable when something has happened; then Next is to be called until there is
  /// nothing.
  int fd() const { return fd_; }

 private:
  ZmqMonitor(ZmqSocket& watched, ZmqSocket events);

  ZmqSocket& watched_;
  ZmqSocket events_;
  const int fd_;
};

}  // namespace longtail
