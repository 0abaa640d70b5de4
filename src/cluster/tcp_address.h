// The parts of tcp://HOST:PORT, and what others are told of a socket that listens.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"

namespace longtail {

struct TcpAddress {
  std::string host;
  std::uint32_t port = 0;
};

/// Errors: InvalidArgument naming the address.
absl::StatusOr<TcpAddress> ParseTcpAddress(const std::string& address);

/// The host that others are to connect to, if a socket is bound to `host`: that one, in the form
/// that everybody knows, or for all interfaces the machine's name.
std::string ReachableHost(const std::string& host);

}  // namespace longtail
