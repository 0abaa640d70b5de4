#include "io/probe_address.h"

#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <span>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

namespace longtail {
namespace {

AddressProbe OfError(int error) {
  switch (error) {
    case ECONNREFUSED:
      return {Reach::kRefused, "connection refused: nobody listens there"};
    case ENOENT:
      return {Reach::kRefused, "there is no such socket file"};
    case ETIMEDOUT:
      return {Reach::kNoAnswer,
              "no answer to a connection: the host is away or a firewall drops it"};
    default:
      return {Reach::kNoAnswer, absl::StrCat("connecting fails: ", std::strerror(error))};
  }
}

bool Wait(int fd, short events, absl::Time until) {
  const absl::Duration left = std::max(until - absl::Now(), absl::ZeroDuration());
  pollfd waiting{.fd = fd, .events = events, .revents = 0};
  return poll(&waiting, 1, static_cast<int>(absl::ToInt64Milliseconds(left))) > 0;
}

constexpr std::size_t kSignatureBytes = 10;
constexpr std::size_t kMechanismAt = 12;
constexpr std::size_t kMechanismEnd = 32;

// Reads to the end of `into`: how much came until it, or the other side, was done.
std::size_t ReadUntil(int fd, std::span<unsigned char> into, absl::Time until, bool& is_closed) {
  std::size_t size = 0;
  while (size < into.size() && Wait(fd, POLLIN, until)) {
    const ssize_t got = recv(fd, into.data() + size, into.size() - size, 0);
    is_closed = got <= 0;
    if (is_closed) break;
    size += static_cast<std::size_t>(got);
  }
  return size;
}

// Both ends of ZeroMQ's protocol begin with FF, eight bytes, 7F, without waiting for the other.
// Once they know the other's version they say how the connection is to be secured; who has heard
// that we want it otherwise would say nothing any more, so we do not tell
// (ZMTP 3.0, rfc.zeromq.org/spec/23).
AddressProbe Greeting(int fd, absl::Time until, bool has_keys) {
  constexpr std::array<unsigned char, kSignatureBytes> kSignature{0xFF, 0, 0, 0, 0,
                                                                  0,    0, 0, 1, 0x7F};
  constexpr std::array<unsigned char, 2> kVersion{3, 0};
  std::array<unsigned char, kMechanismEnd + 1> theirs{};
  if (send(fd, kSignature.data(), kSignature.size(), MSG_NOSIGNAL) < 0) {
    return {Reach::kSilent,
            absl::StrCat("it accepts connections and drops them: ", std::strerror(errno))};
  }
  bool is_closed = false;
  const std::size_t size =
      ReadUntil(fd, std::span(theirs).first(kSignatureBytes), until, is_closed);
  if (size > 0 && (theirs[0] != 0xFF || (size == kSignatureBytes && theirs[9] != 0x7F))) {
    return {Reach::kForeign,
            "what listens there speaks another protocol: it is no Longtail process"};
  }
  if (size < kSignatureBytes) {
    return {Reach::kSilent,
            is_closed ? "it accepts connections and drops them"
                      : "what listens there accepts connections and says nothing: it is no "
                        "Longtail process, or it is stopped"};
  }
  if (send(fd, kVersion.data(), kVersion.size(), MSG_NOSIGNAL) > 0) {
    ReadUntil(fd, std::span(theirs).subspan(kSignatureBytes, kMechanismEnd - kSignatureBytes),
              until, is_closed);
  }
  const std::string mechanism(reinterpret_cast<const char*>(theirs.data()) + kMechanismAt);
  if (mechanism == "CURVE" && !has_keys) {
    return {Reach::kOtherKeys,
            "what listens there wants keys: name them, as ADDRESS?keys=DIRECTORY"};
  }
  if (mechanism == "NULL" && has_keys) {
    return {Reach::kOtherKeys, "what listens there has no keys, and this program was given some"};
  }
  return {Reach::kGreets, absl::StrCat("a Longtail process, or another that uses ZeroMQ, ",
                                       std::string(kAcceptsAndIsSilent),
                                       "answer: is it the coordinator's address?")};
}

// 0, and a file descriptor; or an error.
int TryConnect(int family, const sockaddr* to, socklen_t size, absl::Time until, int& fd) {
  fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return errno;
  int error = connect(fd, to, size) == 0 ? 0 : errno;
  if (error == EINPROGRESS) {
    socklen_t length = sizeof(error);
    if (!Wait(fd, POLLOUT, until)) {
      error = ETIMEDOUT;
    } else if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) != 0) {
      error = errno;
    }
  }
  if (error != 0) close(std::exchange(fd, -1));
  return error;
}

// What TryConnect left, in words.
AddressProbe Outcome(int error, int fd, absl::Time until, bool has_keys) {
  if (error != 0) return OfError(error);
  AddressProbe probe = Greeting(fd, until, has_keys);
  close(fd);
  return probe;
}

}  // namespace

AddressProbe ProbeReach(const std::string& address, absl::Duration timeout, bool has_keys) {
  const absl::Time until = absl::Now() + timeout;
  int fd = -1;
  std::string rest = address;
  if (rest.starts_with("ipc://")) {
    sockaddr_un to{};
    to.sun_family = AF_UNIX;
    rest.erase(0, 6).copy(to.sun_path, sizeof(to.sun_path) - 1);
    const int error = TryConnect(AF_UNIX, reinterpret_cast<sockaddr*>(&to), sizeof(to), until, fd);
    return Outcome(error, fd, until, has_keys);
  }
  const std::size_t colon = rest.rfind(':');
  if (!rest.starts_with("tcp://") || colon <= 6)
    return {Reach::kNoAddress, "it is not tcp://HOST:PORT"};
  std::string host = rest.substr(6, colon - 6);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);  // IPv6, which the system takes without them.
  }
  const std::string port = rest.substr(colon + 1);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int problem = getaddrinfo(host.c_str(), port.c_str(), &hints, &found);
  if (problem != 0) {
    return {Reach::kNoName,
            absl::StrCat("the name '", host, "' cannot be resolved: ", gai_strerror(problem))};
  }
  int error = EADDRNOTAVAIL;
  for (const addrinfo* at = found; at != nullptr && error != 0; at = at->ai_next) {
    error = TryConnect(at->ai_family, at->ai_addr, at->ai_addrlen, until, fd);
  }
  freeaddrinfo(found);
  return Outcome(error, fd, until, has_keys);
}

std::string ProbeAddress(const std::string& address, absl::Duration timeout, bool has_keys) {
  return ProbeReach(address, timeout, has_keys).words;
}

}  // namespace longtail
