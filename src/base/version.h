// Which Longtail this is.
#pragma once

#include <string>

namespace longtail {

/// "0.1.0": of the program, wherever it says so. In a file of its own, so that a test can link a
/// program that is of another version.
std::string ProgramVersion();

}  // namespace longtail
