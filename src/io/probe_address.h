// Why nobody answers at an address, in words.
#pragma once

#include <string>

#include "absl/time/time.h"

namespace longtail {

/// Resolves and connects once, and says what came of it: "its name cannot be resolved (…)",
/// "connection refused: nobody listens there", "no route", "it accepts connections", … For error
/// messages, after the fact. Takes at most `timeout`, but for the system's name resolution.
std::string ProbeAddress(const std::string& address, absl::Duration timeout);

}  // namespace longtail
