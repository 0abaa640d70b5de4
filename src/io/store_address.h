// Where a store is, as users write it: a directory, or SCHEME:PLACE with options.
#pragma once

#include <map>
#include <string>

#include "absl/status/statusor.h"

namespace longtail {

/// "/data/a" and "file:/data/a" are {"file", "/data/a", {}}; "rados://pool/jobs/a?user=x&mon=m" is
/// {"rados", "pool/jobs/a", {mon: m, user: x}}. Options are percent-decoded; a directory has none.
struct StoreAddress {
  std::string scheme;
  std::string place;
  std::map<std::string, std::string> options;
};

/// Errors: InvalidArgument, naming the address and what is wrong: a place or an option's name that
///         is empty, an option twice, a '%' without two digits, "//" missing.
absl::StatusOr<StoreAddress> ParseStoreAddress(const std::string& address);

/// The address of what lies under `name` in the store at `address`: options stay at the end.
std::string JoinStoreAddress(const std::string& address, const std::string& name);

}  // namespace longtail
