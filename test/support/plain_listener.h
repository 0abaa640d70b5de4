// A TCP socket that listens and is no peer of ours: it says nothing, or one text to each that
// connects.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace longtail::test {

class PlainListener {
 public:
  explicit PlainListener(std::string text)
      : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)), text_(std::move(text)) {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(at);
    REQUIRE(bind(fd_, reinterpret_cast<sockaddr*>(&at), size) == 0);
    REQUIRE(listen(fd_, 16) == 0);
    REQUIRE(getsockname(fd_, reinterpret_cast<sockaddr*>(&at), &size) == 0);
    address_ = "tcp://127.0.0.1:" + std::to_string(ntohs(at.sin_port));
    thread_ = std::thread([this] { Run(); });
  }
  ~PlainListener() {
    stop_ = true;
    thread_.join();
    for (const int peer : peers_) close(peer);
    close(fd_);
  }
  PlainListener(const PlainListener&) = delete;
  PlainListener& operator=(const PlainListener&) = delete;

  const std::string& address() const { return address_; }

 private:
  void Run() {
    while (!stop_) {
      pollfd waiting{.fd = fd_, .events = POLLIN, .revents = 0};
      if (poll(&waiting, 1, 20) <= 0) continue;
      const int peer = accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC);
      if (peer < 0) continue;
      [[maybe_unused]] const auto sent = send(peer, text_.data(), text_.size(), MSG_NOSIGNAL);
      peers_.push_back(peer);
    }
  }

  const int fd_;
  const std::string text_;
  std::string address_;
  std::atomic<bool> stop_ = false;
  std::vector<int> peers_;  // Kept open until the end.
  std::thread thread_;
};

}  // namespace longtail::test
