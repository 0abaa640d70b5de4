// Why nobody answers at an address, in words.
#pragma once

#include <string>

#include "absl/time/time.h"

namespace longtail {

/// Resolves, connects once and waits for the greeting of ZeroMQ, and says what came of it: "the
/// name 'x' cannot be resolved: …", "connection refused: nobody listens there", "what listens there
/// speaks another protocol", … For error messages, after the fact. Takes at most `timeout`, but for
/// the system's name resolution.
std::string ProbeAddress(const std::string& address, absl::Duration timeout);

}  // namespace longtail
