// An option of a store's address that is a number of seconds.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "io/store_address.h"

namespace longtail {

/// Sets `duration` if `parsed` has the option `name`, which must be whole seconds from
/// `seconds_min` to 3600. `address` is for messages.
///
/// Errors: InvalidArgument.
absl::Status ReadSecondsOption(const std::string& address, const StoreAddress& parsed,
                               const std::string& name, int seconds_min, absl::Duration& duration);

}  // namespace longtail
