#include "io/zmq_listening.h"

#include <zmq.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "io/event_place.h"
#include "io/host_address.h"
#include "io/zmq_keys.h"

namespace longtail {
namespace {

constexpr absl::Duration kLate = absl::Seconds(5);

}  // namespace

absl::StatusOr<ZmqListening> ZmqListening::Start(ZmqSocket& socket,
                                                 std::span<const std::string> listen,
                                                 const KeyPair* keys) {
  ZmqListening listening;
  if (keys != nullptr && !listen.empty()) ListenWith(*keys, socket);
  for (const std::string& address : listen) {
    if (zmq_bind(socket.get(), address.c_str()) != 0) {
      return absl::UnavailableError(absl::StrCat("listening on '", address, "': ", ZmqError()));
    }
    char bound[1024];
    std::size_t size = sizeof(bound);
    zmq_getsockopt(socket.get(), ZMQ_LAST_ENDPOINT, bound, &size);
    listening.addresses_.emplace_back(bound);
  }
  return listening;
}

void ZmqListening::Change(ZmqSocket& socket, const KeyPair& keys, absl::Time now) {
  for (const std::string& address : addresses_) zmq_unbind(socket.get(), address.c_str());
  away_ = addresses_;
  away_since_ = now;
  is_late_ = false;
  keys_ = keys;
}

void ZmqListening::Again(ZmqSocket& socket, absl::Time now, const Log& log) {
  ListenWith(keys_, socket);
  std::string problem;
  std::erase_if(away_, [&](const std::string& address) {
    if (zmq_bind(socket.get(), address.c_str()) == 0) return true;
    problem = ZmqError();
    return false;
  });
  if (away_.empty()) {
    log.Info("listens_with_other_key", {{"address", addresses_[0]}, {"key", keys_.public_key}});
  } else if (!is_late_ && now - away_since_ > kLate) {
    is_late_ = true;
    log.Error("cannot_listen_with_other_key", {{"address", away_[0]}, {"reason", problem}});
  }
}

bool ZmqListening::Has(std::string_view place) {
  const std::string_view port = PortOf(place);
  if (std::ranges::none_of(addresses_, [&](const auto& a) { return PortOf(a) == port; })) {
    return false;
  }
  if (own_hosts_.empty()) own_hosts_ = OwnAddresses();
  return std::ranges::any_of(own_hosts_, [&](const std::string& host) {
    return place.find(absl::StrCat("/", host, ":")) != place.npos ||
           place.find(absl::StrCat("[", host, "]")) != place.npos;
  });
}

}  // namespace longtail
