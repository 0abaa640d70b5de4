// Which keys are taken at an address: tries them, and says nothing there.
//
// Thread: any.
#pragma once

#include <optional>
#include <string>

#include "absl/time/time.h"
#include "io/key_choice.h"
#include "io/keyring.h"

namespace longtail {

/// Whether these are let in there: the other side shows the key that is expected and has ours on a
/// list. Takes at most `timeout`, and that long where ours is on none: it is told nothing.
bool IsLetIn(const Credentials& keys, const std::string& address, absl::Duration timeout);

/// Which of the cluster's keys is shown there to who may come; nothing: none of them, or nobody is
/// there. Takes at most `timeout`.
std::optional<std::string> KeyShownAt(const Keys& keys, const std::string& address,
                                      absl::Duration timeout);

/// Whether the keys are the reason that nobody answers there, in words. Takes at most `timeout`.
std::string ProbeKeys(Keyring& keyring, const std::string& address, absl::Duration timeout);

}  // namespace longtail
