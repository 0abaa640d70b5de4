// Why nobody answers at an address, in words.
#pragma once

#include <string>
#include <string_view>

#include "absl/time/time.h"

namespace longtail {

/// Resolves, connects once and waits for the greeting of ZeroMQ, and says what came of it: "the
/// name 'x' cannot be resolved: …", "connection refused: nobody listens there", "what listens there
/// speaks another protocol", … For error messages, after the fact. Takes at most `timeout`, but for
/// the system's name resolution.
///
/// has_keys: whether connections are to be encrypted; whether the other side wants that, is said.
std::string ProbeAddress(const std::string& address, absl::Duration timeout, bool has_keys = false);

/// What it says if all is well but for an answer.
inline constexpr std::string_view kAcceptsAndIsSilent = "accepts connections there but does not ";

}  // namespace longtail
