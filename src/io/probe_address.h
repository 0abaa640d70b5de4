// Why nobody answers at an address, in words.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/time/time.h"

namespace longtail {

/// How far a connection comes.
enum class Reach : std::uint8_t {
  kNoAddress,  ///< The text is no address.
  kNoName,     ///< Its name cannot be resolved.
  kRefused,    ///< Nobody listens there.
  kNoAnswer,   ///< The host is away, or a firewall drops it.
  kSilent,     ///< What listens there says nothing.
  kForeign,    ///< What listens there speaks another protocol.
  kOtherKeys,  ///< It wants keys and we have none, or the other way round.
  kGreets,     ///< A Longtail process, or another that uses ZeroMQ, is there.
};

struct AddressProbe {
  Reach reach = Reach::kNoAddress;
  std::string words;  ///< Why nobody answers there, if nobody does.
};

/// Resolves, connects once and waits for the greeting of ZeroMQ, and says what came of it. Takes at
/// most `timeout`, but for the system's name resolution.
///
/// has_keys: whether connections are to be encrypted; whether the other side wants that, is said.
AddressProbe ProbeReach(const std::string& address, absl::Duration timeout, bool has_keys = false);

/// Its words alone, for error messages, after the fact: "the name 'x' cannot be resolved: …",
/// "connection refused: nobody listens there", "what listens there speaks another protocol", …
std::string ProbeAddress(const std::string& address, absl::Duration timeout, bool has_keys = false);

/// What it says if all is well but for an answer.
inline constexpr std::string_view kAcceptsAndIsSilent = "accepts connections there but does not ";

}  // namespace longtail
