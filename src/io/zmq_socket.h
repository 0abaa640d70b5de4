// A ZeroMQ socket and its message parts, owned; and what ZeroMQ's error numbers mean.
#pragma once

#include <zmq.h>

#include <cstddef>
#include <span>
#include <string>
#include <utility>

#include "base/check.h"

namespace longtail {

/// A received part. Its memory may begin at any address.
class ZmqPart {
 public:
  ZmqPart() { zmq_msg_init(&part_); }
  ZmqPart(ZmqPart&& other) noexcept {
    zmq_msg_init(&part_);
    zmq_msg_move(&part_, &other.part_);
  }
  ZmqPart& operator=(ZmqPart&& other) noexcept {
    if (this != &other) zmq_msg_move(&part_, &other.part_);
    return *this;
  }
  ~ZmqPart() { zmq_msg_close(&part_); }

  zmq_msg_t* get() { return &part_; }
  std::span<const std::byte> bytes() {
    return {static_cast<const std::byte*>(zmq_msg_data(&part_)), zmq_msg_size(&part_)};
  }

 private:
  zmq_msg_t part_;
};

/// Closes what it owns. Used by one thread at a time.
class ZmqSocket {
 public:
  explicit ZmqSocket(void* socket) : socket_(socket) {}
  ZmqSocket(ZmqSocket&& other) noexcept : socket_(std::exchange(other.socket_, nullptr)) {}
  ZmqSocket& operator=(ZmqSocket&&) = delete;
  ~ZmqSocket() {
    if (socket_ != nullptr) zmq_close(socket_);
  }

  void* get() const { return socket_; }

  void Set(int option, int value) {
    LONGTAIL_CHECK(zmq_setsockopt(socket_, option, &value, sizeof(value)) == 0);
  }
  void Set(int option, const std::string& text) {
    LONGTAIL_CHECK(zmq_setsockopt(socket_, option, text.data(), text.size()) == 0);
  }
  int Get(int option) const {
    int value = 0;
    std::size_t size = sizeof(value);
    return zmq_getsockopt(socket_, option, &value, &size) == 0 ? value : 0;
  }

 private:
  void* socket_;
};

/// The errno of the last failed call, in words.
inline std::string ZmqError() {
  return zmq_strerror(zmq_errno());
}

}  // namespace longtail
