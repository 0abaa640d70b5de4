// Names of machines as the system resolves them, and what this one answers to.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace longtail {

/// The addresses of a name, or of an address itself, as text ("10.0.0.1", "::1"), each once.
///
/// Errors: NotFound naming it and the system's reason.
/// Cost:   as long as the system's resolver takes.
absl::StatusOr<std::vector<std::string>> ResolveHost(const std::string& host);

/// The addresses of this machine's interfaces, as ResolveHost writes them.
std::vector<std::string> OwnAddresses();

}  // namespace longtail
