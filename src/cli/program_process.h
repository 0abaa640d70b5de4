// Processes of this program that run in the background, and how they are found again.
//
// A pid file holds the process's number and its whole command line. Numbers are used again; a
// process whose command line is another one is not the one that was started.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace longtail::cli {

struct ProgramProcess {
  std::string name;
  pid_t pid = 0;
  std::string command_line;  ///< Arguments, with blanks between them.
};

/// Starts this program with `arguments` in a session of its own, its output in the new file
/// `log_path`.
///
/// Errors: Unavailable naming the file, or what the system says. Needs a process of one thread.
absl::StatusOr<ProgramProcess> StartProgram(const std::string& name,
                                            const std::vector<std::string>& arguments,
                                            const std::string& log_path);

/// Whether it runs. Somebody else's process of the same number is not it, nor is a dead child.
bool IsAlive(const ProgramProcess& process);

/// Sends a signal if it runs.
void Signal(const ProgramProcess& process, int signal);

/// Waits until it has ended. False: it runs still.
bool AwaitEnd(const ProgramProcess& process, absl::Time deadline);

/// How a child of this process ended: "exit status 1", "signal 9"; empty: it runs.
std::string EndOfChild(const ProgramProcess& process);

/// Errors: Unavailable naming the file.
absl::Status WritePidFile(const std::string& path, const ProgramProcess& process);

/// The process that a pid file tells of, named as the file is. A file that is none tells of a
/// process that does not run.
ProgramProcess ReadPidFile(const std::string& path);

/// Whether a log has a text. A log that cannot be read has none.
bool LogHas(const std::string& log_path, const std::string& text);

/// The last line of a log that is not empty; "nothing" without one.
std::string LastLine(const std::string& log_path);

}  // namespace longtail::cli
