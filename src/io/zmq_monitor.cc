#include "io/zmq_monitor.h"

#include <zmq.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

namespace longtail {

std::unique_ptr<ZmqMonitor> ZmqMonitor::Start(void* context, ZmqSocket& socket) {
  static std::atomic<std::uint64_t> number = 0;  // Their names are the context's.
  ZmqSocket events(zmq_socket(context, ZMQ_PAIR));
  if (events.get() == nullptr) return nullptr;
  events.Set(ZMQ_LINGER, 0);
  // As many as there are: at a limit ZeroMQ's own thread would wait for ours, and all with it.
  events.Set(ZMQ_RCVHWM, 0);
  const std::string place = absl::StrCat("inproc://longtail-monitor-", number++);
  constexpr int kEvents = ZMQ_EVENT_CONNECTED | ZMQ_EVENT_HANDSHAKE_SUCCEEDED |
                          ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL |
                          ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH |
                          ZMQ_EVENT_DISCONNECTED;
  if (zmq_socket_monitor(socket.get(), place.c_str(), kEvents) != 0) return nullptr;
  if (zmq_connect(events.get(), place.c_str()) != 0) {
    zmq_socket_monitor(socket.get(), nullptr, 0);
    return nullptr;
  }
  return std::unique_ptr<ZmqMonitor>(new ZmqMonitor(socket, std::move(events)));
}

ZmqMonitor::ZmqMonitor(ZmqSocket& watched, ZmqSocket events)
    : watched_(watched), events_(std::move(events)), fd_(events_.Get(ZMQ_FD)) {}

ZmqMonitor::~ZmqMonitor() {
  // First: what is still said to nobody would hold up ZeroMQ's thread.
  zmq_socket_monitor(watched_.get(), nullptr, 0);
}

std::optional<ZmqMonitor::Event> ZmqMonitor::Next(absl::Time until) {
  ZmqPart what;
  if (until == absl::InfinitePast()) {
    if (zmq_msg_recv(what.get(), events_.get(), ZMQ_DONTWAIT) < 0) return std::nullopt;
  } else {
    const absl::Duration left = std::max(until - absl::Now(), absl::ZeroDuration());
    events_.Set(ZMQ_RCVTIMEO, static_cast<int>(absl::ToInt64Milliseconds(left)));
    if (zmq_msg_recv(what.get(), events_.get(), 0) < 0) return std::nullopt;
  }
  std::uint16_t number = 0;
  std::memcpy(&number, what.bytes().data(), sizeof(number));
  Event event;
  event.kind = number == ZMQ_EVENT_CONNECTED             ? Kind::kBegun
               : number == ZMQ_EVENT_HANDSHAKE_SUCCEEDED ? Kind::kLetIn
               : number == ZMQ_EVENT_DISCONNECTED        ? Kind::kLost
                                                         : Kind::kRefused;
  while (zmq_msg_more(what.get()) != 0) {  // The rest of a message is there once its first part is.
    if (zmq_msg_recv(what.get(), events_.get(), ZMQ_DONTWAIT) < 0) break;
    const auto bytes = what.bytes();
    event.address.assign(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
  return event;
}

}  // namespace longtail
