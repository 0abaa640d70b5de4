// One question over HTTP/1.1, asked by hand: what tests say to pages, wrong things among it.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <string>

namespace longtail::test {

struct HttpAnswer {
  int code = 0;  ///< 0: there was none.
  std::string head;
  std::string body;
};

/// A connection to 127.0.0.1:PORT of "HOST:PORT", or -1. Gives up reading after `seconds`.
inline int ConnectTo(const std::string& address, int seconds = 20) {
  const int descriptor = socket(AF_INET, SOCK_STREAM, 0);
  const timeval limit{.tv_sec = seconds, .tv_usec = 0};
  setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<std::uint16_t>(
      std::strtoul(address.substr(address.rfind(':') + 1).c_str(), nullptr, 10)));
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(descriptor, reinterpret_cast<const sockaddr*>(&to), sizeof(to)) == 0) {
    return descriptor;
  }
  close(descriptor);
  return -1;
}

/// Sends `bytes` as they are, and takes what comes until the other side is done.
inline std::string Exchange(const std::string& address, const std::string& bytes) {
  const int descriptor = ConnectTo(address);
  if (descriptor < 0) return "";
  std::size_t sent = 0;
  while (sent < bytes.size()) {
    const ssize_t n = send(descriptor, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (n <= 0) break;
    sent += static_cast<std::size_t>(n);
  }
  std::string text;
  char piece[4096];
  for (ssize_t n = 0; (n = recv(descriptor, piece, sizeof(piece), 0)) > 0;) {
    text.append(piece, static_cast<std::size_t>(n));
  }
  close(descriptor);
  return text;
}

inline HttpAnswer HttpAsk(const std::string& address, const std::string& method,
                          const std::string& path) {
  const std::string text =
      Exchange(address, method + " " + path + " HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  HttpAnswer answer;
  if (!text.starts_with("HTTP/1.1 ")) return answer;
  answer.code = std::atoi(text.c_str() + 9);
  const std::size_t end = text.find("\r\n\r\n");
  answer.head = text.substr(0, end);
  if (end != std::string::npos) answer.body = text.substr(end + 4);
  return answer;
}

inline HttpAnswer HttpGet(const std::string& address, const std::string& path) {
  return HttpAsk(address, "GET", path);
}

}  // namespace longtail::test
