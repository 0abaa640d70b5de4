// What bash completes, from the program's own commands and options.
#pragma once

#include <string>

#include "cli/command_tree.h"

namespace longtail::cli {

/// A script that has bash complete commands, options, choices and file names.
std::string BashCompletion(const CommandPage& program);

}  // namespace longtail::cli
