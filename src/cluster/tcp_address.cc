#include "cluster/tcp_address.h"

#include <string_view>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "io/this_process.h"

namespace longtail {

absl::StatusOr<TcpAddress> ParseTcpAddress(const std::string& address) {
  const std::size_t colon = address.rfind(':');
  TcpAddress parts;
  if (!address.starts_with("tcp://") || colon <= 6 ||
      !absl::SimpleAtoi(address.substr(colon + 1), &parts.port) || parts.port > 65535) {
    return absl::InvalidArgumentError(
        absl::StrCat("address '", address, "': want tcp://HOST:PORT, port 0..65535"));
  }
  parts.host = address.substr(6, colon - 6);
  return parts;
}

std::string ReachableHost(const std::string& host) {
  // How the system writes an IPv4 address of a socket that takes both kinds.
  constexpr std::string_view kMapped = "[::ffff:";
  if (host.starts_with(kMapped) && host.find('.') != std::string::npos) {
    return host.substr(kMapped.size(), host.size() - kMapped.size() - 1);
  }
  return host == "*" || host == "0.0.0.0" || host == "[::]" ? HostName() : host;
}

}  // namespace longtail
