#include "io/zmq_network.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <zmq.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <unordered_map>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/mutex.h"
#include "base/status_macros.h"
#include "io/client_gate.h"
#include "io/event_place.h"
#include "io/key_choice.h"
#include "io/key_probe.h"
#include "io/probe_address.h"
#include "io/zmq_keys.h"
#include "io/zmq_listening.h"
#include "io/zmq_monitor.h"
#include "io/zmq_outgoing.h"
#include "io/zmq_socket.h"
#include "io/zmq_zap.h"
#include "protocol/format_limits.h"
#include "protocol/wire.h"

namespace longtail {
namespace {

// Messages that one peer may have waiting here, in and out. Bytes have limits of their own: what
// is sent, peer_bytes_max; what comes, the sender's.
constexpr int kReceiveQueueMessages = 128;
constexpr int kSendQueueMessages = 4096;
// Envelopes handed over at a time, so that a loop's deadlines are looked at in between.
constexpr std::size_t kReceiveBatch = 64;
// Parts of one message. A large array is a part, and a piece of text before it.
constexpr std::size_t kPartCountMax = 1 << 16;
// A smaller message is copied out of its parts: some of those lie in a piece of ZeroMQ's receive
// buffer, and would keep all of it.
constexpr std::size_t kInPlaceBytesMin = 32 << 10;
// Peers that connected here and are remembered; the oldest are forgotten beyond that.
constexpr std::size_t kIncomingPeersMax = 1 << 16;
// Node numbers of those who connected here.
constexpr std::uint32_t kIncomingBit = 1U << 31;
constexpr absl::Duration kRefusalLogPeriod = absl::Seconds(1);
// An attempt to connect is given up and made anew: the system would ask again at ever longer
// intervals, and a link that was cut for a minute would stay so for another.
constexpr absl::Duration kConnectTimeout = absl::Seconds(2);

// Keys are looked at this often; the keyring itself looks at its files once a second.
constexpr absl::Duration kKeysLookEvery = absl::Milliseconds(200);
constexpr absl::Duration kListenAgainEvery = absl::Milliseconds(2);

// The socket's name of a peer that we connect to. ZeroMQ's own names begin with a zero byte.
std::string RoutingId(NodeId node) {
  std::string id = "N";
  const auto number = static_cast<std::uint32_t>(node);
  id.append(reinterpret_cast<const char*>(&number), sizeof(number));
  return id;
}

class Endpoint final : public ZmqEndpoint {
 public:
  // `keys`: what it listens with; null: there are none.
  Endpoint(void* context, NodeId self, ZmqSocket socket, int wake_fd, ZmqListening listening,
           std::shared_ptr<const Keys> keys, const ZmqNetwork::Options& options)
      : self_(self),
        options_(options),
        addresses_(listening.addresses()),
        wake_fd_(wake_fd),
        socket_(std::move(socket)),
        socket_fd_(socket_.Get(ZMQ_FD)),
        listening_(std::move(listening)),
        keys_(std::move(keys)) {
    if (options_.keys == nullptr) return;
    gate_.emplace(options_.keys, options_.table_names);
    monitor_ = ZmqMonitor::Start(context, socket_);
    if (monitor_ != nullptr) monitor_fd_ = monitor_->fd();
  }

  ~Endpoint() override { close(wake_fd_); }

  NodeId node() const override { return self_; }
  const std::vector<std::string>& addresses() const override { return addresses_; }

  absl::Status Connect(NodeId peer, const std::string& address) override {
    const MutexLock lock(&mutex_);
    Peer& known = peers_[peer];
    if (known.address == address) return absl::OkStatus();
    if (!known.address.empty()) zmq_disconnect(socket_.get(), known.address.c_str());
    if (keys_ != nullptr) known.choice.emplace(*keys_);
    if (!Dial(peer, known, address)) {
      const std::string problem = ZmqError();
      std::erase(outgoing_, peer);
      peers_.erase(peer);
      return absl::InvalidArgumentError(absl::StrCat("address '", address, "': ", problem,
                                                     "; want tcp://HOST:PORT or ipc://PATH"));
    }
    if (known.address.empty()) outgoing_.push_back(peer);
    known.address = address;
    WakeIfReadable();
    return absl::OkStatus();
  }

  void Send(Envelope envelope) override {
    if (IsUnsent(envelope)) return;
    auto outgoing = std::make_unique<ZmqOutgoing>(std::move(envelope.body));
    const std::size_t bytes = outgoing->bytes();
    const MutexLock lock(&mutex_);
    const auto found = peers_.find(envelope.target);
    if (found == peers_.end()) {
      ++counters_.unknown_dropped;
      return;
    }
    const Peer& peer = found->second;
    const std::size_t unsent = peer.unsent->bytes();
    if (unsent > 0 && unsent + bytes > options_.peer_bytes_max) {
      ++counters_.full_dropped;
      return;
    }
    if (zmq_send(socket_.get(), peer.routing_id.data(), peer.routing_id.size(),
                 ZMQ_SNDMORE | ZMQ_DONTWAIT) < 0) {
      if (zmq_errno() == EAGAIN) {
        ++counters_.full_dropped;
      } else {
        ++counters_.unknown_dropped;
        if (IsIncoming(envelope.target)) Forget(envelope.target);
      }
    } else if (ZmqOutgoing::Send(std::move(outgoing), peer.unsent, socket_.get())) {
      ++counters_.sent;
      counters_.sent_bytes += bytes;
    } else {
      ++counters_.unknown_dropped;
    }
    WakeIfReadable();
  }

  void Receive(absl::Time until, std::vector<Envelope>& events) override {
    for (;;) {
      absl::Time look_at = until;
      {
        const MutexLock lock(&mutex_);
        if (keys_ != nullptr) look_at = LookAtKeys(absl::Now());
        TakeAll();
        if (woken_ || !taken_.empty()) {
          woken_ = false;
          break;
        }
      }
      if (!WaitReadable(until, look_at)) return;
    }
    for (Incoming& incoming : taken_) {  // Without the lock: small arrays are copied.
      absl::StatusOr<Message> message = DecodeParts(incoming);
      if (!message.ok()) {
        Refuse(incoming.source, message.status(), events);
      } else if (MayCome(incoming, *message)) {
        events.push_back({incoming.source, self_, *std::move(message)});
      }
    }
    taken_.clear();
  }

  void Wake() override {
    const MutexLock lock(&mutex_);
    woken_ = true;
    Poke();
  }

  ZmqCounters counters() const override {
    const MutexLock lock(&mutex_);
    return counters_;
  }

 private:
  struct Peer {
    std::string address;  // Empty: it connected here.
    std::string routing_id;
    std::shared_ptr<UnsentQueue> unsent;
    std::string earlier_id{};           // Of the connection before, which may still say something.
    std::optional<KeyChoice> choice{};  // Of whom we connected to, with keys.
  };
  struct Incoming {
    NodeId source{};
    std::vector<ZmqPart> parts;
    std::string key{};  // Of who connected here, if there are keys.
  };

  // Connects; what was to be sent to a peer over its connection before is not sent.
  bool Dial(NodeId node, Peer& peer, const std::string& address)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    numbers_.erase(peer.earlier_id);
    peer.earlier_id = std::move(peer.routing_id);
    // A name is the socket's for as long as the old connection winds up, so each has its own.
    peer.routing_id = absl::StrCat(RoutingId(node), next_connection_++);
    peer.unsent = std::make_shared<UnsentQueue>();
    if (peer.choice) ConnectWith(peer.choice->current(), socket_);
    if (zmq_setsockopt(socket_.get(), ZMQ_CONNECT_ROUTING_ID, peer.routing_id.data(),
                       peer.routing_id.size()) != 0 ||
        zmq_connect(socket_.get(), address.c_str()) != 0) {
      return false;
    }
    numbers_[peer.routing_id] = node;
    return true;
  }

  // ZeroMQ knows connections by their address: all that go there end.
  void DialAgain(const std::string& address) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    zmq_disconnect(socket_.get(), address.c_str());
    for (const NodeId node : outgoing_) {
      Peer& peer = peers_[node];
      if (peer.address != address) continue;
      peer.choice->OnLost();
      Dial(node, peer, address);
    }
  }

  // Follows what the keyring says by now, and what became of connections. Returns when to look
  // again.
  absl::Time LookAtKeys(absl::Time now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (now >= look_at_) {
      look_at_ = now + kKeysLookEvery;
      const std::uint64_t version = options_.keys->version();
      if (std::exchange(keys_version_, version) != version) TakeKeys(now);
    }
    absl::Time look_at = look_at_;
    if (listening_.is_away()) {
      listening_.Again(socket_, now, options_.log);
      if (listening_.is_away()) look_at = std::min(look_at, now + kListenAgainEvery);
    }
    while (monitor_ != nullptr) {
      const auto event = monitor_->Next(absl::InfinitePast());
      if (!event) break;
      NoteEvent(*event, now);
    }
    for (const NodeId node : outgoing_) {
      Peer& peer = peers_[node];
      if (peer.choice->due() <= now) {
        peer.choice->Next(*keys_);
        DialAgain(std::string(peer.address));
      }
      look_at = std::min(look_at, peer.choice->due());
    }
    return look_at;
  }

  // What is bound and connected keeps the keys of that moment, so it is made anew.
  void TakeKeys(absl::Time now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const std::shared_ptr<const Keys> before = std::exchange(keys_, options_.keys->keys());
    if (before == keys_) return;
    if (before->own != keys_->own) listening_.Change(socket_, keys_->own, now);
    for (const NodeId node : outgoing_) {
      Peer& peer = peers_[node];
      if (peer.choice->Follow(*keys_)) DialAgain(std::string(peer.address));
    }
  }

  void NoteEvent(const ZmqMonitor::Event& event, absl::Time now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const std::string place = PlainPlace(event.address);
    bool is_known = false;
    for (const NodeId node : outgoing_) {
      Peer& peer = peers_[node];
      if (PlainPlace(peer.address) != place) continue;
      is_known = true;
      NoteEvent(event, now, *peer.choice);
    }
    for (const NodeId node : outgoing_) {
      Peer& peer = peers_[node];
      if (!is_known && MayBeOf(place, peer.address) && !listening_.Has(place)) {
        NoteEvent(event, now, *peer.choice);
      }
    }
  }

  void NoteEvent(const ZmqMonitor::Event& event, absl::Time now, KeyChoice& choice) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    switch (event.kind) {
      case ZmqMonitor::Kind::kBegun:
        return choice.OnBegun(now);
      case ZmqMonitor::Kind::kLetIn:
        return choice.OnLetIn(*keys_, now);
      case ZmqMonitor::Kind::kRefused:
        return choice.OnRefused(*keys_, now);
      case ZmqMonitor::Kind::kLost:
        return choice.OnLost();
    }
  }

  // A request that is sent again while it still waits to be sent the first time.
  bool IsUnsent(const Envelope& envelope) {
    const void* const identity = IdentityOf(envelope.body);
    if (identity == nullptr) return false;
    const MutexLock lock(&mutex_);
    const auto found = peers_.find(envelope.target);
    if (found == peers_.end() || !found->second.unsent->Holds(identity)) return false;
    ++counters_.repeats_dropped;
    return true;
  }

  static bool IsIncoming(NodeId node) {
    return (static_cast<std::uint32_t>(node) & kIncomingBit) != 0;
  }

  // Moves up to kReceiveBatch messages to taken_, all parts of each.
  void TakeAll() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    while (taken_.size() < kReceiveBatch) {
      ZmqPart name;
      if (zmq_msg_recv(name.get(), socket_.get(), ZMQ_DONTWAIT) < 0) return;
      const auto bytes = name.bytes();
      const NodeId source =
          NumberOf(std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
      Incoming incoming{.source = source, .parts = {}};
      std::size_t size = 0;
      bool more = zmq_msg_more(name.get()) != 0;
      while (more) {  // The rest of a message is there once its first part is.
        ZmqPart part;
        if (zmq_msg_recv(part.get(), socket_.get(), ZMQ_DONTWAIT) < 0) break;
        more = zmq_msg_more(part.get()) != 0;
        size += part.bytes().size();
        if (gate_ && incoming.key.empty() && IsIncoming(source)) {
          const char* const key = zmq_msg_gets(part.get(), "User-Id");
          if (key != nullptr) incoming.key = key;
        }
        if (incoming.parts.size() < kPartCountMax) incoming.parts.push_back(std::move(part));
      }
      ++counters_.received;
      counters_.received_bytes += size;
      taken_.push_back(std::move(incoming));
    }
  }

  static absl::StatusOr<Message> DecodeParts(Incoming& incoming) {
    if (incoming.parts.size() >= kPartCountMax) {
      return absl::InvalidArgumentError(
          absl::StrCat("message of ", incoming.parts.size(), " parts: want less"));
    }
    std::vector<std::span<const std::byte>> spans;
    spans.reserve(incoming.parts.size());
    std::size_t bytes = 0;
    for (ZmqPart& part : incoming.parts) {
      spans.push_back(part.bytes());
      bytes += spans.back().size();
    }
    if (bytes < kInPlaceBytesMin) return Decode(spans);
    // A moved part may move its bytes, if they are few; a moved vector does not move its parts.
    return Decode(spans, std::make_shared<const std::vector<ZmqPart>>(std::move(incoming.parts)));
  }

  // Whom we connected to has the cluster's key. Who may not say what he says hears that.
  bool MayCome(const Incoming& incoming, const Message& message) {
    if (!gate_ || !IsIncoming(incoming.source)) return true;
    absl::Status may = gate_->Check(incoming.key, message, absl::Now());
    if (may.ok()) return true;
    {
      const MutexLock lock(&mutex_);
      ++(absl::IsUnavailable(may) ? counters_.deferred : counters_.denied);
    }
    Send({self_, incoming.source,
          Acknowledgement{.request = RequestOf(message), .status = std::move(may), .step = 0}});
    return false;
  }

  // Who sent what is no message hears why, unless we asked them: then our core hears it.
  void Refuse(NodeId source, const absl::Status& why, std::vector<Envelope>& events) {
    const absl::Time now = absl::Now();
    std::uint64_t refused = 0;
    {
      const MutexLock lock(&mutex_);
      refused = ++counters_.refused;
    }
    if (now - last_refusal_ >= kRefusalLogPeriod) {
      last_refusal_ = now;
      options_.log.Warning("message_refused", {{"peer", static_cast<std::uint32_t>(source)},
                                               {"refused_so_far", refused},
                                               {"reason", std::string(why.message())}});
    }
    if (IsIncoming(source)) {
      Send({self_, source, Acknowledgement{.request = 0, .status = why, .step = 0}});
    } else {
      events.push_back({source, self_, Acknowledgement{.request = 0, .status = why, .step = 0}});
    }
  }

  NodeId NumberOf(const std::string& routing_id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const auto found = numbers_.find(routing_id);
    if (found != numbers_.end()) return found->second;
    const NodeId node{kIncomingBit | next_incoming_};
    next_incoming_ = (next_incoming_ + 1) & ~kIncomingBit;
    numbers_[routing_id] = node;
    peers_[node] = {
        .address = {}, .routing_id = routing_id, .unsent = std::make_shared<UnsentQueue>()};
    incoming_.push_back(node);
    if (incoming_.size() > kIncomingPeersMax) {
      const std::size_t oldest = incoming_.size() - kIncomingPeersMax;
      for (std::size_t i = 0; i < oldest; ++i) Forget(incoming_[i]);
      incoming_.erase(incoming_.begin(), incoming_.begin() + static_cast<std::ptrdiff_t>(oldest));
    }
    return node;
  }

  void Forget(NodeId node) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const auto found = peers_.find(node);
    if (found == peers_.end()) return;
    numbers_.erase(found->second.routing_id);
    peers_.erase(found);
  }

  // ZeroMQ's descriptor says once that something came. A thread that sends may be the one that
  // learns of it, and passes it on.
  void WakeIfReadable() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if ((socket_.Get(ZMQ_EVENTS) & ZMQ_POLLIN) != 0) Poke();
  }

  void Poke() {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = write(wake_fd_, &one, sizeof(one));
  }

  // False once `until` has come. Returns earlier to look at keys.
  bool WaitReadable(absl::Time until, absl::Time look_at) {
    const absl::Time now = absl::Now();
    if (until <= now) return false;
    pollfd fds[] = {{.fd = socket_fd_, .events = POLLIN, .revents = 0},
                    {.fd = wake_fd_, .events = POLLIN, .revents = 0},
                    {.fd = monitor_fd_, .events = POLLIN, .revents = 0}};
    const absl::Duration left = std::max(std::min(until, look_at) - now, absl::ZeroDuration());
    const timespec limit = absl::ToTimespec(std::min(left, absl::Hours(1)));
    if (ppoll(fds, monitor_fd_ < 0 ? 2 : 3, &limit, nullptr) > 0 &&
        (fds[1].revents & POLLIN) != 0) {
      std::uint64_t count = 0;
      [[maybe_unused]] const auto got = read(wake_fd_, &count, sizeof(count));
    }
    return true;
  }

  const NodeId self_;
  const ZmqNetwork::Options options_;
  const std::vector<std::string> addresses_;
  const int wake_fd_;

  mutable Mutex mutex_;  // A socket may change threads, with a lock in between.
  ZmqSocket socket_ ABSL_GUARDED_BY(mutex_);
  const int socket_fd_;
  std::unique_ptr<ZmqMonitor> monitor_ ABSL_GUARDED_BY(mutex_);  // Null: there are no keys.
  int monitor_fd_ = -1;
  std::unordered_map<NodeId, Peer> peers_ ABSL_GUARDED_BY(mutex_);
  std::unordered_map<std::string, NodeId> numbers_ ABSL_GUARDED_BY(mutex_);  // By routing id.
  std::vector<NodeId> incoming_ ABSL_GUARDED_BY(mutex_);                     // Oldest first.
  std::uint32_t next_incoming_ ABSL_GUARDED_BY(mutex_) = 0;
  std::uint32_t next_connection_ ABSL_GUARDED_BY(mutex_) = 0;
  bool woken_ ABSL_GUARDED_BY(mutex_) = false;

  // With keys: what is connected and listened with.
  ZmqListening listening_ ABSL_GUARDED_BY(mutex_);
  std::shared_ptr<const Keys> keys_ ABSL_GUARDED_BY(mutex_);  // Null: there are none.
  std::uint64_t keys_version_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::Time look_at_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
  std::vector<NodeId> outgoing_ ABSL_GUARDED_BY(mutex_);  // Whom we connected to.

  ZmqCounters counters_ ABSL_GUARDED_BY(mutex_);

  // The receiving loop's own.
  std::optional<ClientGate> gate_;  // None: there are no keys.
  std::vector<Incoming> taken_;
  absl::Time last_refusal_ = absl::InfinitePast();
};

class Network final : public ZmqNetwork {
 public:
  Network(void* context, const Options& options) : context_(context), options_(options) {}
  ~Network() override {
    zap_.reset();
    zmq_ctx_term(context_);
  }

  absl::Status Start() {
    if (options_.keys == nullptr || !options_.keys->is_cluster()) return absl::OkStatus();
    LONGTAIL_ASSIGN_OR_RETURN(zap_, ZmqZap::Start(context_, options_.keys, options_.log));
    return absl::OkStatus();
  }

  absl::StatusOr<std::unique_ptr<ZmqEndpoint>> Join(NodeId self,
                                                    std::span<const std::string> listen) override {
    void* const raw = zmq_socket(context_, ZMQ_ROUTER);
    if (raw == nullptr) {
      return absl::ResourceExhaustedError(absl::StrCat("a new socket: ", ZmqError()));
    }
    ZmqSocket socket(raw);
    const auto heartbeat = static_cast<int>(absl::ToInt64Milliseconds(options_.heartbeat));
    socket.Set(ZMQ_ROUTER_MANDATORY, 1);  // Or what cannot be sent is lost without a word.
    socket.Set(ZMQ_LINGER, 0);            // Nothing is owed to a peer when the process ends.
    socket.Set(ZMQ_SNDHWM, kSendQueueMessages);
    socket.Set(ZMQ_RCVHWM, kReceiveQueueMessages);
    socket.Set(ZMQ_HEARTBEAT_IVL, heartbeat);
    socket.Set(ZMQ_HEARTBEAT_TIMEOUT, 3 * heartbeat);
    socket.Set(ZMQ_HEARTBEAT_TTL, 3 * heartbeat);
    // Who is on no list of clients hears nothing, and tries again behind this.
    socket.Set(ZMQ_HANDSHAKE_IVL, options_.keys == nullptr ? 3 * heartbeat : heartbeat);
    // ZeroMQ asks nobody whether he lives while a connection takes no more bytes: the system then
    // gives it up, in the same time.
    socket.Set(ZMQ_TCP_MAXRT, 3 * heartbeat);
    socket.Set(ZMQ_CONNECT_TIMEOUT, static_cast<int>(absl::ToInt64Milliseconds(kConnectTimeout)));
    socket.Set(ZMQ_RECONNECT_IVL, 50);
    socket.Set(ZMQ_RECONNECT_IVL_MAX, 1000);
    socket.Set(ZMQ_TCP_KEEPALIVE, 1);
    socket.Set(ZMQ_IPV6, 1);
    const auto part_max = static_cast<std::int64_t>(kMessageBytesMax);
    zmq_setsockopt(socket.get(), ZMQ_MAXMSGSIZE, &part_max, sizeof(part_max));
    const std::shared_ptr<const Keys> keys =
        options_.keys == nullptr ? nullptr : options_.keys->keys();
    if (keys != nullptr && !listen.empty() && !options_.keys->is_cluster()) {
      return absl::FailedPreconditionError(
          absl::StrCat("keys: '", options_.keys->directory(), "' are a client's: want the ",
                       "cluster's, with cluster.secret, to listen on '", listen[0], "'"));
    }
    LONGTAIL_ASSIGN_OR_RETURN(
        ZmqListening listening,
        ZmqListening::Start(socket, listen, keys == nullptr ? nullptr : &keys->own));
    const int wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (wake_fd < 0) {
      return absl::ResourceExhaustedError(absl::StrCat("an event file: ", std::strerror(errno)));
    }
    return std::make_unique<Endpoint>(context_, self, std::move(socket), wake_fd,
                                      std::move(listening), keys, options_);
  }

  std::string Probe(const std::string& address, absl::Duration timeout) override {
    const bool has_keys = options_.keys != nullptr;
    std::string seen = ProbeAddress(address, timeout, has_keys);
    if (!has_keys || seen.find(kAcceptsAndIsSilent) == std::string::npos) return seen;
    return ProbeKeys(*options_.keys, address, timeout);
  }

  std::uint64_t refused_clients() const override { return zap_ == nullptr ? 0 : zap_->refused(); }
  std::shared_ptr<Keyring> keys() const override { return options_.keys; }

 private:
  void* const context_;
  const Options options_;
  std::unique_ptr<ZmqZap> zap_;  // Null: nobody is asked for a key.
};

}  // namespace

absl::StatusOr<std::unique_ptr<ZmqNetwork>> ZmqNetwork::Create(const Options& options) {
  void* const context = zmq_ctx_new();
  if (context == nullptr) return absl::ResourceExhaustedError("a ZeroMQ context: no memory");
  zmq_ctx_set(context, ZMQ_IO_THREADS, options.io_threads);
  zmq_ctx_set(context, ZMQ_MAX_SOCKETS, zmq_ctx_get(context, ZMQ_SOCKET_LIMIT));
  auto network = std::make_unique<Network>(context, options);
  LONGTAIL_RETURN_IF_ERROR(network->Start());
  return network;
}

}  // namespace longtail
