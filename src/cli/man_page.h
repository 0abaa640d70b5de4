// The man page of the program, from its own commands and options.
#pragma once

#include <string>

#include "cli/command_tree.h"

namespace longtail::cli {

/// In troff, for section 1.
std::string ManPage(const CommandPage& program, const std::string& version);

}  // namespace longtail::cli
