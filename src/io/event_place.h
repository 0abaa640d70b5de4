// Whose connection an event of a socket is about (zmq_monitor.h): ZeroMQ names a place as it was
// given at first, and by the address that its name had then.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

namespace longtail {

/// tcp://[::ffff:10.0.0.1]:7 is tcp://10.0.0.1:7: with IPv6 on, ZeroMQ writes it so.
inline std::string PlainPlace(std::string_view place) {
  constexpr std::string_view kMapped = "tcp://[::ffff:";
  const std::size_t end = place.find(']');
  if (!place.starts_with(kMapped) || end == place.npos) return std::string(place);
  return "tcp://" + std::string(place.substr(kMapped.size(), end - kMapped.size())) +
         std::string(place.substr(end + 1));
}

/// Its port with the colon; nothing of other places than TCP's.
inline std::string_view PortOf(std::string_view place) {
  const std::size_t colon = place.rfind(':');
  return place.starts_with("tcp://") && colon > 3 ? place.substr(colon) : "";
}

/// Whether its host is a name, and no address.
inline bool HasName(std::string_view place) {
  constexpr std::string_view kTcp = "tcp://";
  if (!place.starts_with(kTcp)) return false;
  const std::string_view host = place.substr(kTcp.size(), place.rfind(':') - kTcp.size());
  return !host.starts_with('[') &&
         std::ranges::any_of(host, [](char c) { return (c < '0' || c > '9') && c != '.'; });
}

/// Whether an event at `event` may be of a connection to `place`, if none goes to just there.
inline bool MayBeOf(std::string_view event, std::string_view place) {
  return HasName(place) && !PortOf(event).empty() && PortOf(event) == PortOf(place);
}

}  // namespace longtail
