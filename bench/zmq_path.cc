// Bare ZeroMQ with the same bytes, sent from where they lie; and what a user writes with it:
// servers that answer from a hash map.
#include <zmq.h>

#include <cstring>
#include <deque>
#include <thread>

#include "base/check.h"
#include "bench/stores.h"
#include "bench/wire_path.h"
#include "io/zmq_socket.h"

namespace longtail::bench {
namespace {

void KeepBytes(void*, void*) {}
void FreeFloats(void* data, void*) {
  delete[] static_cast<float*>(data);
}

// Sends bytes that stay as they are for as long as the process runs.
void SendInPlace(void* socket, const void* data, std::size_t size, int flags) {
  zmq_msg_t part;
  zmq_msg_init_data(&part, const_cast<void*>(data), size, &KeepBytes, nullptr);
  LONGTAIL_CHECK(zmq_msg_send(&part, socket, flags) >= 0);
}

class ZmqPath final : public WirePath {
 public:
  ZmqPath(const std::string& address, Workload& load, bool has_store)
      : context_(zmq_ctx_new()),
        socket_(zmq_socket(context_, ZMQ_DEALER)),
        load_(load),
        has_store_(has_store),
        request_(Shape{true, load.counts().size(), load.dim()}.RequestBytes()) {
    LONGTAIL_CHECK(zmq_connect(socket_, address.c_str()) == 0);
  }
  ~ZmqPath() override {
    zmq_close(socket_);
    zmq_ctx_term(context_);
  }

  void Start(const Shape& shape, std::size_t number) override {
    const Ask ask = AskOf(shape);
    LONGTAIL_CHECK(zmq_send(socket_, &ask, sizeof(ask), ZMQ_SNDMORE) >= 0);
    if (!has_store_) {
      SendInPlace(socket_, request_.data(), shape.RequestBytes(), 0);
    } else {
      const std::vector<Key>& keys = load_.Keys(shape, number);
      SendInPlace(socket_, keys.data(), keys.size() * sizeof(Key), shape.is_push ? ZMQ_SNDMORE : 0);
      if (shape.is_push) {
        SendInPlace(socket_, load_.gradients().data(), shape.keys * shape.dim * sizeof(float), 0);
      }
    }
    in_flight_.push_back(number);
  }

  void Finish() override {
    ZmqPart reply;
    LONGTAIL_CHECK(zmq_msg_recv(reply.get(), socket_, 0) >= 0);
    if (has_store_ && !reply.bytes().empty()) {
      std::memcpy(load_.Rows(in_flight_.front()), reply.bytes().data(), reply.bytes().size());
    }
    in_flight_.pop_front();
  }

 private:
  void* const context_;
  void* const socket_;
  Workload& load_;
  const bool has_store_;
  const std::vector<char> request_;
  std::deque<std::size_t> in_flight_;
};

// Gives what `answer` sends to whoever asked. The message's last part is the answer's.
template <typename Answer>
std::string Serve(Answer answer) {
  void* const context = zmq_ctx_new();
  void* const socket = zmq_socket(context, ZMQ_ROUTER);
  LONGTAIL_CHECK(zmq_bind(socket, "tcp://127.0.0.1:*") == 0);
  char address[256];
  std::size_t size = sizeof(address);
  LONGTAIL_CHECK(zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, address, &size) == 0);
  std::thread([socket, answer = std::move(answer)]() mutable {
    for (;;) {
      std::vector<ZmqPart> parts(2);
      LONGTAIL_CHECK(zmq_msg_recv(parts[0].get(), socket, 0) >= 0);
      LONGTAIL_CHECK(zmq_msg_recv(parts[1].get(), socket, 0) >= 0);
      while (zmq_msg_more(parts.back().get()) != 0) {
        LONGTAIL_CHECK(zmq_msg_recv(parts.emplace_back().get(), socket, 0) >= 0);
      }
      Ask ask;
      std::memcpy(&ask, parts[1].bytes().data(), sizeof(ask));
      LONGTAIL_CHECK(zmq_msg_send(parts[0].get(), socket, ZMQ_SNDMORE) >= 0);
      answer(socket, ShapeOf(ask), std::span(parts).subspan(2));
    }
  }).detach();
  return address;
}

// One thread, one map: keys looked up and rows moved by the store.
template <typename Store>
std::string ServeStore(const StoreSize& size) {
  auto store = std::make_shared<Store>(size.rows, size.dim);
  std::vector<Key> keys;
  for (std::uint64_t at = 0; at < size.rows; at += keys.size()) {
    keys.clear();
    for (std::uint64_t i = at; i < std::min<std::uint64_t>(size.rows, at + 10'000); ++i) {
      keys.push_back(KeyOfNumber(i));
    }
    store->Insert(keys);
  }
  // Small parts may lie at any address.
  return Serve([store, keys, gradients = std::vector<float>()](void* socket, const Shape& shape,
                                                               std::span<ZmqPart> parts) mutable {
    const auto Place = [](ZmqPart& part, auto& copy) {
      using T = std::decay_t<decltype(copy[0])>;
      const auto bytes = part.bytes();
      if (reinterpret_cast<std::uintptr_t>(bytes.data()) % alignof(T) == 0) {
        return std::span(reinterpret_cast<const T*>(bytes.data()), bytes.size() / sizeof(T));
      }
      copy.resize(bytes.size() / sizeof(T));
      std::memcpy(copy.data(), bytes.data(), bytes.size());
      return std::span<const T>(copy);
    };
    const std::span<const Key> asked = Place(parts[0], keys);
    if (shape.is_push) {
      store->Update(asked, Place(parts[1], gradients).data());
      LONGTAIL_CHECK(zmq_send(socket, "", 0, 0) >= 0);
      return;
    }
    auto* const rows = new float[asked.size() * shape.dim];
    store->Lookup(asked, rows);
    zmq_msg_t reply;
    zmq_msg_init_data(&reply, rows, shape.ReplyBytes(), &FreeFloats, nullptr);
    LONGTAIL_CHECK(zmq_msg_send(&reply, socket, 0) >= 0);
  });
}

}  // namespace

std::string ServeZmq() {
  return Serve(
      [rows = std::vector<char>()](void* socket, const Shape& shape, std::span<ZmqPart>) mutable {
        // Grown before anything is sent from it, and never again.
        if (rows.empty()) rows.resize(std::size_t{64} << 20);
        LONGTAIL_CHECK(shape.ReplyBytes() <= rows.size());
        SendInPlace(socket, rows.data(), shape.ReplyBytes(), 0);
      });
}

std::string ServeUnorderedMap(const StoreSize& size) {
  return ServeStore<UnorderedMap>(size);
}

std::string ServePrefetched(const StoreSize& size) {
  return ServeStore<AbslPrefetched>(size);
}

std::unique_ptr<WirePath> ConnectZmq(const std::string& address, Workload& load, bool has_store) {
  return std::make_unique<ZmqPath>(address, load, has_store);
}

}  // namespace longtail::bench
