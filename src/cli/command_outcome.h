// What a command of the program gives back.
#pragma once

#include <string>

namespace longtail::cli {

struct CommandOutcome {
  std::string output{};  ///< For standard output.
  int code = 0;          ///< The program's exit status.
};

}  // namespace longtail::cli
