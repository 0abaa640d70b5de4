#include "examples/ctr/child_processes.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <utility>

#include "absl/strings/str_cat.h"

namespace longtail::examples {

absl::StatusOr<ChildProcesses> ChildProcesses::Start(
    std::uint32_t count, const std::string& directory,
    const std::function<bool(std::uint32_t)>& job) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) {
    return absl::UnavailableError(absl::StrCat("directory '", directory, "': ", error.message()));
  }
  ChildProcesses children(directory);
  const pid_t parent = getpid();
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::string log = children.LogOf(i);
    const int fd = open(log.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0) return absl::UnavailableError(absl::StrCat("'", log, "': ", std::strerror(errno)));
    std::cout.flush();
    const pid_t pid = fork();
    if (pid == 0) {
      children.pids_.clear();  // They are its brothers, not its children.
      prctl(PR_SET_PDEATHSIG, SIGTERM);
      if (getppid() != parent) _exit(1);
      dup2(fd, STDOUT_FILENO);
      dup2(fd, STDERR_FILENO);
      const bool is_fine = job(i);
      std::cout.flush();
      _exit(is_fine ? 0 : 1);
    }
    close(fd);
    if (pid < 0) {
      return absl::ResourceExhaustedError(
          absl::StrCat("process ", i + 1, " of ", count, ": ", std::strerror(errno)));
    }
    children.pids_.push_back(pid);
  }
  return children;
}

ChildProcesses::ChildProcesses(ChildProcesses&& other) noexcept
    : directory_(std::move(other.directory_)), pids_(std::exchange(other.pids_, {})) {}

ChildProcesses::~ChildProcesses() {
  for (const pid_t pid : pids_) {
    if (pid != 0) kill(pid, SIGTERM);
  }
  for (const pid_t pid : pids_) {
    if (pid != 0) waitpid(pid, nullptr, 0);
  }
}

absl::Status ChildProcesses::Wait() {
  absl::Status outcome;
  for (std::size_t i = 0; i < pids_.size(); ++i) {
    int status = 0;
    while (waitpid(pids_[i], &status, 0) < 0 && errno == EINTR) {
    }
    pids_[i] = 0;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) continue;
    outcome.Update(absl::InternalError(
        absl::StrCat("process ", i + 1, WIFSIGNALED(status) ? " was ended by signal " : " failed, ",
                     WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status), "; its log is '",
                     LogOf(i), "'")));
  }
  return outcome;
}

std::string ChildProcesses::LogOf(std::size_t child) const {
  return absl::StrCat(directory_, "/process-", child + 1, ".log");
}

}  // namespace longtail::examples
