#include "io/servers_wanted.h"

#include <fstream>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "io/stateful_set.h"
#include "io/store_address.h"

namespace longtail {
namespace {

absl::StatusOr<std::uint32_t> NumberIn(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  if (!file.is_open()) {
    return absl::NotFoundError(absl::StrCat("servers wanted '", path, "': no such file"));
  }
  std::getline(file, line);
  std::uint32_t number = 0;
  if (absl::SimpleAtoi(absl::StripAsciiWhitespace(line), &number)) return number;
  return absl::InvalidArgumentError(absl::StrCat("servers wanted '", path, "': its first line '",
                                                 line.substr(0, 80), "' is no number of servers"));
}

}  // namespace

absl::StatusOr<std::uint32_t> ReadServersWanted(const std::string& place, absl::Duration timeout) {
  LONGTAIL_ASSIGN_OR_RETURN(const StoreAddress parsed, ParseStoreAddress(place));
  if (parsed.scheme == "file") return NumberIn(parsed.place);
  if (parsed.scheme != "statefulset") {
    return absl::InvalidArgumentError(
        absl::StrCat("servers wanted '", place, "': want a file, or statefulset://NAME"));
  }
  StatefulSet set{.name = parsed.place};
  for (const auto& [name, value] : parsed.options) {
    if (name == "api") {
      set.api = value;
    } else if (name == "account") {
      set.account = value;
    } else {
      return absl::InvalidArgumentError(absl::StrCat("servers wanted '", place, "': option '", name,
                                                     "': there are account, api"));
    }
  }
  return ReadReplicas(set, timeout);
}

absl::StatusOr<std::uint32_t> OrdinalOf(const std::string& server) {
  const std::size_t dash = server.rfind('-');
  std::uint32_t ordinal = 0;
  if (dash != std::string::npos && dash + 1 < server.size() &&
      absl::ascii_isdigit(static_cast<unsigned char>(server[dash + 1])) &&
      absl::SimpleAtoi(server.substr(dash + 1), &ordinal)) {
    return ordinal;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("server name '", server, "': want NAME-NUMBER, as pods of a StatefulSet have"));
}

}  // namespace longtail
