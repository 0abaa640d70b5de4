#include "io/key_probe.h"

#include <zmq.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "io/zmq_keys.h"
#include "io/zmq_monitor.h"
#include "io/zmq_socket.h"

namespace longtail {
namespace {

// Of several tries in `left`, each has its part of it, and what those before left over.
absl::Duration PartOf(absl::Time until, std::size_t tries) {
  return std::max(until - absl::Now(), absl::ZeroDuration()) /
         static_cast<std::int64_t>(std::max<std::size_t>(tries, 1));
}

bool Try(void* context, const Credentials& keys, const std::string& address, absl::Time until) {
  ZmqSocket socket(zmq_socket(context, ZMQ_DEALER));
  if (socket.get() == nullptr) return false;
  socket.Set(ZMQ_LINGER, 0);
  socket.Set(ZMQ_IPV6, 1);
  ConnectWith(keys, socket);
  const std::unique_ptr<ZmqMonitor> monitor = ZmqMonitor::Start(context, socket);
  if (monitor == nullptr || zmq_connect(socket.get(), address.c_str()) != 0) return false;
  // Who is refused hears nothing, or the other side hangs up: it tells nobody why.
  auto event = monitor->Next(until);
  if (event && event->kind == ZmqMonitor::Kind::kBegun) event = monitor->Next(until);
  return event && event->kind == ZmqMonitor::Kind::kLetIn;
}

}  // namespace

bool IsLetIn(const Credentials& keys, const std::string& address, absl::Duration timeout) {
  void* const context = zmq_ctx_new();
  if (context == nullptr) return false;
  const bool is_let_in = Try(context, keys, address, absl::Now() + timeout);
  zmq_ctx_term(context);
  return is_let_in;
}

std::optional<std::string> KeyShownAt(const Keys& keys, const std::string& address,
                                      absl::Duration timeout) {
  const absl::Time until = absl::Now() + timeout;
  const std::vector<Credentials> all = AllCredentials(keys);
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (IsLetIn(all[i], address, PartOf(until, all.size() - i))) return all[i].cluster_key;
  }
  return std::nullopt;
}

std::string ProbeKeys(Keyring& keyring, const std::string& address, absl::Duration timeout) {
  const std::shared_ptr<const Keys> keys = keyring.keys();
  if (KeyShownAt(*keys, address, timeout)) {
    return "a Longtail process there takes these keys but does not answer: is it the "
           "coordinator's address?";
  }
  return absl::StrCat("what listens there refuses the keys of '", keyring.directory(),
                      "': their public key ", keys->own.public_key,
                      " is not on its list of clients, or their cluster.public is not that "
                      "cluster's");
}

}  // namespace longtail
