#include "io/host_address.h"

#include <ifaddrs.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>

#include "absl/strings/str_cat.h"

namespace longtail {
namespace {

// Adds it unless it is there, or of another kind than IPv4 and IPv6.
void Add(const sockaddr* address, std::vector<std::string>& texts) {
  if (address == nullptr) return;
  socklen_t size = 0;
  if (address->sa_family == AF_INET) size = sizeof(sockaddr_in);
  if (address->sa_family == AF_INET6) size = sizeof(sockaddr_in6);
  std::array<char, NI_MAXHOST> text{};
  if (size == 0 ||
      getnameinfo(address, size, text.data(), text.size(), nullptr, 0, NI_NUMERICHOST) != 0) {
    return;
  }
  std::string found(text.data());
  found = found.substr(0, found.find('%'));  // Without the interface of a link-local address.
  if (std::ranges::find(texts, found) == texts.end()) texts.push_back(std::move(found));
}

}  // namespace

absl::StatusOr<std::vector<std::string>> ResolveHost(const std::string& host) {
  std::string name = host;
  if (name.size() > 2 && name.front() == '[' && name.back() == ']') {
    name = name.substr(1, name.size() - 2);  // IPv6, which the system takes without them.
  }
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int problem = getaddrinfo(name.c_str(), nullptr, &hints, &found);
  if (problem != 0) {
    return absl::NotFoundError(
        absl::StrCat("the name '", name, "' cannot be resolved: ", gai_strerror(problem)));
  }
  std::vector<std::string> texts;
  for (const addrinfo* at = found; at != nullptr; at = at->ai_next) Add(at->ai_addr, texts);
  freeaddrinfo(found);
  return texts;
}

std::vector<std::string> OwnAddresses() {
  std::vector<std::string> texts;
  ifaddrs* found = nullptr;
  if (getifaddrs(&found) != 0) return texts;
  for (const ifaddrs* at = found; at != nullptr; at = at->ifa_next) Add(at->ifa_addr, texts);
  freeifaddrs(found);
  return texts;
}

}  // namespace longtail
