#include "io/etcd_address.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "base/status_macros.h"
#include "io/seconds_option.h"
#include "io/store_address.h"

namespace longtail {
namespace {

constexpr int kLeaseSecondsMin = 2;
constexpr const char* kForm = "want etcd://HOST:PORT[,HOST:PORT...]/PREFIX";

absl::Status Refuse(const std::string& address, const std::string& why) {
  return absl::InvalidArgumentError(absl::StrCat("store '", address, "': ", why));
}

}  // namespace

std::string EtcdAddress::place() const {
  return absl::StrCat("etcd://", absl::StrJoin(endpoints, ","), "/", prefix);
}

absl::StatusOr<EtcdAddress> ParseEtcdAddress(const std::string& address) {
  LONGTAIL_ASSIGN_OR_RETURN(const StoreAddress parsed, ParseStoreAddress(address));
  if (parsed.scheme != "etcd") return Refuse(address, kForm);
  for (const auto& [name, value] : parsed.options) {
    if (name != "timeout" && name != "lease") {
      return Refuse(address, absl::StrCat("option '", name, "': there are timeout, lease"));
    }
  }
  const std::size_t slash = std::min(parsed.place.find('/'), parsed.place.size());
  EtcdAddress etcd;
  etcd.endpoints = absl::StrSplit(parsed.place.substr(0, slash), ',');
  etcd.prefix = slash < parsed.place.size() ? parsed.place.substr(slash + 1) : "";
  for (const std::string& endpoint : etcd.endpoints) {
    const std::size_t colon = endpoint.rfind(':');
    if (colon == 0 || colon == std::string::npos || colon + 1 == endpoint.size()) {
      return Refuse(address, absl::StrCat("member '", endpoint, "': ", kForm));
    }
  }
  if (etcd.prefix.empty()) return Refuse(address, absl::StrCat("names no prefix: ", kForm));
  LONGTAIL_RETURN_IF_ERROR(ReadSecondsOption(address, parsed, "timeout", 1, etcd.timeout));
  LONGTAIL_RETURN_IF_ERROR(
      ReadSecondsOption(address, parsed, "lease", kLeaseSecondsMin, etcd.lease));
  return etcd;
}

}  // namespace longtail
