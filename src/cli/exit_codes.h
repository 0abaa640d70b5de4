// The exit statuses of the program: a small table that scripts can rely on.
#pragma once

#include <string>

namespace longtail::cli {

enum ExitCode : int {
  kDone = 0,      ///< It was done, or what was looked at is well.
  kFailed = 1,    ///< It failed, and standard error says why; `doctor`: a check failed.
  kWrongUse = 2,  ///< The command line cannot be understood; nothing was done.
  kNotWell = 3,   ///< It was answered, and the answer is that all is not well.
};

/// The table for --help and the man page: a status, two blanks, what it means, a line each.
inline std::string ExitCodesText() {
  return "0  done; what was looked at is well\n"
         "1  failed, and standard error says why; doctor: a check failed\n"
         "2  the command line cannot be understood; nothing was done\n"
         "3  answered, and not well: status and top: a member is missing or late; ckpt ls and "
         "verify:\n"
         "   something is damaged; ckpt diff: there are differences; keys check: some have not\n"
         "   taken the step; gpu-selfcheck: a check failed\n";
}

}  // namespace longtail::cli
