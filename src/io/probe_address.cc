#include "io/probe_address.h"

#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace longtail {
namespace {

std::string InWords(int error) {
  switch (error) {
    case 0:
      return "it accepts connections";
    case ECONNREFUSED:
      return "connection refused: nobody listens there";
    case ENOENT:
      return "there is no such socket file";
    case ETIMEDOUT:
      return "no answer to a connection: the host is away or a firewall drops it";
    default:
      return absl::StrCat("connecting fails: ", std::strerror(error));
  }
}

int TryConnect(int family, const sockaddr* to, socklen_t size, absl::Duration timeout) {
  const int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return errno;
  int error = connect(fd, to, size) == 0 ? 0 : errno;
  if (error == EINPROGRESS) {
    pollfd waiting{.fd = fd, .events = POLLOUT, .revents = 0};
    socklen_t length = sizeof(error);
    if (poll(&waiting, 1, static_cast<int>(absl::ToInt64Milliseconds(timeout))) <= 0) {
      error = ETIMEDOUT;
    } else if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) != 0) {
      error = errno;
    }
  }
  close(fd);
  return error;
}

}  // namespace

std::string ProbeAddress(const std::string& address, absl::Duration timeout) {
  std::string rest = address;
  if (rest.starts_with("ipc://")) {
    sockaddr_un to{};
    to.sun_family = AF_UNIX;
    rest.erase(0, 6).copy(to.sun_path, sizeof(to.sun_path) - 1);
    return InWords(TryConnect(AF_UNIX, reinterpret_cast<sockaddr*>(&to), sizeof(to), timeout));
  }
  const std::size_t colon = rest.rfind(':');
  if (!rest.starts_with("tcp://") || colon <= 6) return "it is not tcp://HOST:PORT";
  const std::string host = rest.substr(6, colon - 6);
  const std::string port = rest.substr(colon + 1);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int problem = getaddrinfo(host.c_str(), port.c_str(), &hints, &found);
  if (problem != 0) {
    return absl::StrCat("the name '", host, "' cannot be resolved: ", gai_strerror(problem));
  }
  int error = EADDRNOTAVAIL;
  for (const addrinfo* at = found; at != nullptr && error != 0; at = at->ai_next) {
    error = TryConnect(at->ai_family, at->ai_addr, at->ai_addrlen, timeout);
  }
  freeaddrinfo(found);
  return InWords(error);
}

}  // namespace longtail
