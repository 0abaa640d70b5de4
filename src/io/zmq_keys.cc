#include "io/zmq_keys.h"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

namespace longtail {
namespace {

// Any: with an empty one, some versions of ZeroMQ ask nobody.
constexpr char kDomain[] = "longtail";

// The number of the next event of a monitored socket; 0: none came in time.
std::uint16_t NextEvent(ZmqSocket& monitor, absl::Time until) {
  const absl::Duration left = std::max(until - absl::Now(), absl::ZeroDuration());
  monitor.Set(ZMQ_RCVTIMEO, static_cast<int>(absl::ToInt64Milliseconds(left)));
  ZmqPart event;
  if (zmq_msg_recv(event.get(), monitor.get(), 0) < 0) return 0;
  std::uint16_t number = 0;
  std::memcpy(&number, event.bytes().data(), sizeof(number));
  while (zmq_msg_more(event.get()) != 0) {
    ZmqPart rest;
    if (zmq_msg_recv(rest.get(), monitor.get(), ZMQ_DONTWAIT) < 0 ||
        zmq_msg_more(rest.get()) == 0) {
      break;
    }
  }
  return number;
}

}  // namespace

void ListenWith(const Keyring& keys, ZmqSocket& socket) {
  socket.Set(ZMQ_ZAP_DOMAIN, std::string(kDomain));
  socket.Set(ZMQ_CURVE_SERVER, 1);
  socket.Set(ZMQ_CURVE_SECRETKEY, keys.own().secret_key);
}

void ConnectWith(const Keyring& keys, ZmqSocket& socket) {
  socket.Set(ZMQ_CURVE_SERVERKEY, keys.cluster_public());
  socket.Set(ZMQ_CURVE_PUBLICKEY, keys.own().public_key);
  socket.Set(ZMQ_CURVE_SECRETKEY, keys.own().secret_key);
}

std::string ProbeKeys(void* context, const Keyring& keys, const std::string& address,
                      absl::Duration timeout) {
  static std::atomic<std::uint64_t> number = 0;  // Of monitors: their names are the context's.
  const absl::Time until = absl::Now() + timeout;
  ZmqSocket socket(zmq_socket(context, ZMQ_DEALER));
  ZmqSocket monitor(zmq_socket(context, ZMQ_PAIR));
  if (socket.get() == nullptr || monitor.get() == nullptr) {
    return absl::StrCat("no socket to try with: ", ZmqError());
  }
  socket.Set(ZMQ_LINGER, 0);
  monitor.Set(ZMQ_LINGER, 0);
  ConnectWith(keys, socket);
  const std::string place = absl::StrCat("inproc://longtail-probe-", number++);
  if (zmq_socket_monitor(socket.get(), place.c_str(),
                         ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL |
                             ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH |
                             ZMQ_EVENT_DISCONNECTED) != 0 ||
      zmq_connect(monitor.get(), place.c_str()) != 0 ||
      zmq_connect(socket.get(), address.c_str()) != 0) {
    return absl::StrCat("connecting fails: ", ZmqError());
  }
  // Who is refused hears nothing, or the other side hangs up: it tells nobody why.
  const bool is_let_in = NextEvent(monitor, until) == ZMQ_EVENT_HANDSHAKE_SUCCEEDED;
  std::string seen =
      is_let_in ? "a Longtail process there takes these keys but does not answer: is it the "
                  "coordinator's address?"
                : absl::StrCat("what listens there refuses the keys of '", keys.directory(),
                               "': their public key ", keys.own().public_key,
                               " is not on its list of clients, or their cluster.public is not "
                               "that cluster's");
  zmq_socket_monitor(socket.get(), nullptr, 0);
  return seen;
}

}  // namespace longtail
