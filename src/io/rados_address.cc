#include "io/rados_address.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "base/status_macros.h"
#include "io/seconds_option.h"
#include "io/store_address.h"

namespace longtail {
namespace {

constexpr std::array<const char*, 7> kOptions{"conf",    "mon",     "user", "keyring",
                                              "keyfile", "timeout", "lease"};
constexpr int kLeaseSecondsMin = 2;
constexpr std::string_view kUserPrefix = "client.";

absl::Status Refuse(const std::string& address, const std::string& why) {
  return absl::InvalidArgumentError(absl::StrCat("store '", address, "': ", why));
}

// Takes the name from each "a=10.0.0.1:6789".
std::string WithoutNames(const std::string& monitors) {
  std::vector<std::string> plain;
  for (const absl::string_view monitor : absl::StrSplit(monitors, ',')) {
    plain.emplace_back(monitor.substr(monitor.find('=') + 1));  // npos + 1 is 0.
  }
  return absl::StrJoin(plain, ",");
}

}  // namespace

std::string RadosAddress::place() const {
  return absl::StrCat("rados://", pool, name_space.empty() ? "" : "/", name_space);
}

absl::StatusOr<RadosAddress> ParseRadosAddress(const std::string& address) {
  LONGTAIL_ASSIGN_OR_RETURN(const StoreAddress parsed, ParseStoreAddress(address));
  if (parsed.scheme != "rados") {
    return Refuse(address, "want rados://POOL[/NAMESPACE][?OPTION=VALUE&...]");
  }
  for (const auto& [name, value] : parsed.options) {
    if (std::ranges::find(kOptions, name) == kOptions.end()) {
      return Refuse(address,
                    absl::StrCat("option '", name, "': there are ", absl::StrJoin(kOptions, ", ")));
    }
    if (value.empty()) return Refuse(address, absl::StrCat("option '", name, "' is empty"));
  }
  const auto text = [&](const char* name) {
    const auto found = parsed.options.find(name);
    return found == parsed.options.end() ? std::string() : found->second;
  };
  const std::size_t slash = std::min(parsed.place.find('/'), parsed.place.size());
  RadosAddress rados;
  rados.pool = parsed.place.substr(0, slash);
  rados.name_space = slash < parsed.place.size() ? parsed.place.substr(slash + 1) : "";
  rados.conf = text("conf");
  rados.monitors = WithoutNames(text("mon"));
  if (const std::string user = text("user"); !user.empty()) {
    rados.user = user.starts_with(kUserPrefix) ? user.substr(kUserPrefix.size()) : user;
  }
  rados.keyring = text("keyring");
  rados.key_file = text("keyfile");
  if (rados.pool.empty()) return Refuse(address, "names no pool: want rados://POOL[/NAMESPACE]");
  if (!rados.keyring.empty() && !rados.key_file.empty()) {
    return Refuse(address, "has a keyring and a keyfile: want one of them");
  }
  LONGTAIL_RETURN_IF_ERROR(ReadSecondsOption(address, parsed, "timeout", 1, rados.timeout));
  LONGTAIL_RETURN_IF_ERROR(
      ReadSecondsOption(address, parsed, "lease", kLeaseSecondsMin, rados.lease));
  return rados;
}

}  // namespace longtail
