// Says who may connect to this process's sockets: ZeroMQ asks for each connection
// (ZAP, rfc.zeromq.org/spec/27).
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>

#include "absl/status/statusor.h"
#include "base/log.h"
#include "io/keyring.h"
#include "io/zmq_socket.h"

namespace longtail {

/// Owns one thread. Must be there before the first socket of `context` listens, and go before the
/// context does.
class ZmqZap {
 public:
  static absl::StatusOr<std::unique_ptr<ZmqZap>> Start(void* context,
                                                       std::shared_ptr<Keyring> keyring,
                                                       const Log& log);
  ~ZmqZap();

  /// Connections that were refused: their key is on no list.
  std::uint64_t refused() const { return refused_; }

 private:
  ZmqZap(ZmqSocket socket, std::shared_ptr<Keyring> keyring, const Log& log);

  void Run();
  void Answer();

  ZmqSocket socket_;  // The thread's own, once that runs.
  const std::shared_ptr<Keyring> keyring_;
  const Log log_;
  absl::Time last_log_ = absl::InfinitePast();
  std::atomic<std::uint64_t> refused_ = 0;
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

}  // namespace longtail
