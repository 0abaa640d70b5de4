#include "io/zmq_zap.h"

#include <pthread.h>

#include <array>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

namespace longtail {
namespace {

constexpr char kPlace[] = "inproc://zeromq.zap.01";
constexpr int kLookMs = 100;
constexpr std::size_t kKeyBytes = 32;
constexpr std::size_t kTextSize = 41;
constexpr absl::Duration kLogPeriod = absl::Seconds(1);
// Parts of a request: version, its number, domain, address, routing id, mechanism, and for CURVE
// the key.
constexpr std::size_t kParts = 7;

std::string TextOf(ZmqPart& part) {
  const auto bytes = part.bytes();
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

absl::StatusOr<std::unique_ptr<ZmqZap>> ZmqZap::Start(void* context,
                                                      std::shared_ptr<Keyring> keyring,
                                                      const Log& log) {
  void* const raw = zmq_socket(context, ZMQ_REP);
  if (raw == nullptr) {
    return absl::ResourceExhaustedError(absl::StrCat("a new socket: ", ZmqError()));
  }
  ZmqSocket socket(raw);
  socket.Set(ZMQ_LINGER, 0);
  socket.Set(ZMQ_RCVTIMEO, kLookMs);
  if (zmq_bind(socket.get(), kPlace) != 0) {
    return absl::UnavailableError(absl::StrCat("'", kPlace, "': ", ZmqError()));
  }
  return std::unique_ptr<ZmqZap>(new ZmqZap(std::move(socket), std::move(keyring), log));
}

ZmqZap::ZmqZap(ZmqSocket socket, std::shared_ptr<Keyring> keyring, const Log& log)
    : socket_(std::move(socket)), keyring_(std::move(keyring)), log_(log) {
  thread_ = std::thread([this] { Run(); });
  pthread_setname_np(thread_.native_handle(), "zmq-zap");
}

ZmqZap::~ZmqZap() {
  stop_ = true;
  thread_.join();
}

void ZmqZap::Run() {
  while (!stop_) Answer();
}

void ZmqZap::Answer() {
  std::vector<ZmqPart> parts;
  for (bool more = true; more;) {
    ZmqPart part;
    if (zmq_msg_recv(part.get(), socket_.get(), 0) < 0) return;
    more = zmq_msg_more(part.get()) != 0;
    parts.push_back(std::move(part));
  }
  std::string key;
  if (parts.size() == kParts && TextOf(parts[5]) == "CURVE" &&
      parts[6].bytes().size() == kKeyBytes) {
    std::array<char, kTextSize> text{};
    zmq_z85_encode(text.data(), reinterpret_cast<const std::uint8_t*>(parts[6].bytes().data()),
                   kKeyBytes);
    key = text.data();
  }
  const bool is_let_in = !key.empty() && keyring_->Find(key).has_value();
  if (!is_let_in) {
    const std::uint64_t refused = ++refused_;
    if (const absl::Time now = absl::Now(); now - last_log_ >= kLogPeriod) {
      last_log_ = now;
      log_.Warning("client_refused", {{"address", parts.size() > 3 ? TextOf(parts[3]) : ""},
                                      {"key", key},
                                      {"refused_so_far", refused}});
    }
  }
  // 300 and not 400: who is refused tries again by itself, and the list may have him by then.
  const std::array<std::string, 6> answer = {"1.0",
                                             parts.size() > 1 ? TextOf(parts[1]) : "",
                                             is_let_in ? "200" : "300",
                                             is_let_in ? "" : "not on the list of clients",
                                             is_let_in ? key : "",
                                             ""};
  for (std::size_t i = 0; i < answer.size(); ++i) {
    const int flags = i + 1 < answer.size() ? ZMQ_SNDMORE : 0;
    if (zmq_send(socket_.get(), answer[i].data(), answer[i].size(), flags) < 0) return;
  }
}

}  // namespace longtail
