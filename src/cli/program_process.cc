#include "cli/program_process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"

namespace longtail::cli {
namespace {

constexpr char kThisProgram[] = "/proc/self/exe";
constexpr absl::Duration kLookEvery = absl::Milliseconds(20);

// The command line of a running process; empty of none, and of one that has ended and waits for
// its parent to ask.
std::string CommandLineOf(pid_t pid) {
  std::ifstream file(absl::StrCat("/proc/", pid, "/cmdline"), std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  if (!text.empty() && text.back() == '\0') text.pop_back();
  std::ranges::replace(text, '\0', ' ');
  return text;
}

// What happens in the child between fork and exec: system calls alone.
[[noreturn]] void Become(char* const* arguments, int log) {
  setsid();
  const int nothing = open("/dev/null", O_RDONLY);
  dup2(nothing, STDIN_FILENO);
  dup2(log, STDOUT_FILENO);
  dup2(log, STDERR_FILENO);
  execv(kThisProgram, arguments);
  _exit(127);
}

}  // namespace

absl::StatusOr<ProgramProcess> StartProgram(const std::string& name,
                                            const std::vector<std::string>& arguments,
                                            const std::string& log_path) {
  std::vector<std::string> words = {"longtail"};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  const int log = open(log_path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0644);
  if (log < 0) {
    return absl::UnavailableError(absl::StrCat("log '", log_path, "': ", std::strerror(errno)));
  }
  // Until the child has become the program, its command line is this process's.
  int ready[2] = {-1, -1};
  if (pipe2(ready, O_CLOEXEC) != 0) {
    const int problem = errno;
    close(log);
    return absl::UnavailableError(absl::StrCat("a pipe: ", std::strerror(problem)));
  }
  const pid_t pid = fork();
  if (pid == 0) Become(pointers.data(), log);
  const int problem = errno;
  close(log);
  close(ready[1]);
  char nothing = 0;
  while (pid > 0 && read(ready[0], &nothing, 1) < 0 && errno == EINTR) {
  }
  close(ready[0]);
  if (pid < 0) {
    return absl::UnavailableError(absl::StrCat("a process: ", std::strerror(problem)));
  }
  return ProgramProcess{.name = name, .pid = pid, .command_line = absl::StrJoin(words, " ")};
}

bool IsAlive(const ProgramProcess& process) {
  return process.pid > 0 && !process.command_line.empty() &&
         CommandLineOf(process.pid) == process.command_line;
}

void Signal(const ProgramProcess& process, int signal) {
  if (IsAlive(process)) kill(process.pid, signal);
}

bool AwaitEnd(const ProgramProcess& process, absl::Time deadline) {
  while (IsAlive(process)) {
    if (absl::Now() >= deadline) return false;
    absl::SleepFor(kLookEvery);
  }
  return true;
}

std::string EndOfChild(const ProgramProcess& process) {
  int status = 0;
  if (waitpid(process.pid, &status, WNOHANG) != process.pid) return "";
  if (WIFSIGNALED(status)) return absl::StrCat("signal ", WTERMSIG(status));
  return absl::StrCat("exit status ", WEXITSTATUS(status));
}

absl::Status WritePidFile(const std::string& path, const ProgramProcess& process) {
  std::ofstream file(path, std::ios::trunc);
  file << process.pid << "\n" << process.command_line << "\n";
  file.close();
  if (file) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat("'", path, "': cannot be written"));
}

ProgramProcess ReadPidFile(const std::string& path) {
  ProgramProcess process{
      .name = std::filesystem::path(path).stem().string(), .pid = 0, .command_line = {}};
  std::ifstream file(path);
  std::string number;
  std::getline(file, number);
  std::getline(file, process.command_line);
  if (!absl::SimpleAtoi(number, &process.pid)) process.pid = 0;
  return process;
}

bool LogHas(const std::string& log_path, const std::string& text) {
  std::ifstream log(log_path);
  for (std::string line; std::getline(log, line);) {
    if (line.find(text) != std::string::npos) return true;
  }
  return false;
}

std::string LastLine(const std::string& log_path) {
  std::ifstream file(log_path);
  std::string last;
  for (std::string line; std::getline(file, line);) {
    if (!line.empty()) last = line;
  }
  return last.empty() ? "nothing" : last;
}

}  // namespace longtail::cli
