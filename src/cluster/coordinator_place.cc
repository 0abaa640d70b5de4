#include "cluster/coordinator_place.h"

#include <fstream>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "cluster/tcp_address.h"

namespace longtail {
namespace {

constexpr std::string_view kIpc = "ipc://";
constexpr std::string_view kKeys = "?keys=";

absl::StatusOr<CoordinatorPlace> Parse(const std::string& text) {
  CoordinatorPlace place{.address = text, .keys = {}};
  if (const std::size_t question = text.find('?'); question != std::string::npos) {
    place.address = text.substr(0, question);
    if (!std::string_view(text).substr(question).starts_with(kKeys) ||
        text.size() == question + kKeys.size()) {
      return absl::InvalidArgumentError(absl::StrCat(
          "cluster '", text, "': want ?keys=DIRECTORY behind the address, or nothing"));
    }
    place.keys = text.substr(question + kKeys.size());
  }
  // ZeroMQ takes a port beyond 65535 for another one.
  if (!place.address.starts_with(kIpc)) {
    LONGTAIL_RETURN_IF_ERROR(ParseTcpAddress(place.address).status());
  }
  return place;
}

bool IsLoopback(std::string_view host) {
  return host.starts_with("127.") || host == "localhost" || host == "[::1]";
}

}  // namespace

absl::StatusOr<std::shared_ptr<Keyring>> CoordinatorPlace::OpenKeys(const Log& log) const {
  if (keys.empty()) return std::shared_ptr<Keyring>();
  return Keyring::Open(keys, log);
}

absl::StatusOr<CoordinatorPlace> FindCoordinator(const std::string& place) {
  if (place.find("://") != std::string::npos) return Parse(place);
  if (place.empty()) {
    return absl::InvalidArgumentError(
        "cluster '': want tcp://HOST:PORT of a coordinator, or a file that holds it");
  }
  std::ifstream file(place);
  std::string line;
  if (!file.is_open()) {
    return absl::NotFoundError(absl::StrCat(
        "cluster '", place, "': no such file; want tcp://HOST:PORT of a coordinator, or a file ",
        "that holds it"));
  }
  std::getline(file, line);
  if (line.find("://") == std::string::npos) {
    return absl::InvalidArgumentError(absl::StrCat("cluster file '", place, "': its first line '",
                                                   line.substr(0, 80), "' is no tcp://HOST:PORT"));
  }
  return Parse(line);
}

absl::StatusOr<std::string> WithKeys(const std::string& place, const std::string& keys) {
  if (keys.empty()) return place;
  LONGTAIL_ASSIGN_OR_RETURN(const CoordinatorPlace at, FindCoordinator(place));
  return absl::StrCat(at.address, std::string(kKeys), keys);
}

absl::Status CheckListening(const std::string& listen, bool has_keys, bool is_plain,
                            const Log& log) {
  if (has_keys) {
    if (!is_plain) return absl::OkStatus();
    return absl::FailedPreconditionError(
        absl::StrCat("listening on '", listen,
                     "': there are keys, and it is to be plain: want one "
                     "or the other"));
  }
  const absl::StatusOr<TcpAddress> at = ParseTcpAddress(listen);
  if (!at.ok()) return at.status();
  if (IsLoopback(at->host)) return absl::OkStatus();
  if (!is_plain) {
    return absl::FailedPreconditionError(absl::StrCat(
        "listening on '", listen,
        "', which other machines may reach, without keys: whoever does "
        "could read and change everything; give keys (longtail keys), or say --plain if the "
        "network keeps others away"));
  }
  log.Warning("plain",
              {{"listen", listen}, {"means", "whoever reaches it can read and change everything"}});
  return absl::OkStatus();
}

}  // namespace longtail
