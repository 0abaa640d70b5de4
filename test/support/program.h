// A program that runs beside a test and ends with it, however that ends.
#pragma once

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "server/scratch_directory.h"

namespace longtail::test {

class Program {
 public:
  /// Starts it. The first word is its path.
  explicit Program(std::vector<std::string> words) : output_(directory_ / "output") {
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    const int output = open(output_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    REQUIRE(output >= 0);
    pid_ = fork();
    if (pid_ == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      dup2(output, STDOUT_FILENO);
      dup2(output, STDERR_FILENO);
      execv(arguments[0], arguments.data());
      _exit(127);
    }
    close(output);
    REQUIRE(pid_ > 0);
  }
  ~Program() { Kill(); }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  pid_t pid() const { return pid_; }

  /// All it wrote so far, to either output.
  std::string said() const { return ReadWhole(output_); }

  void Send(int signal) { kill(pid_, signal); }

  void Kill() {
    if (pid_ <= 0) return;
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }

  /// Its exit status, or minus the signal that ended it.
  int Wait(absl::Duration limit) {
    int status = 0;
    const bool has_ended = Await(limit, [&] { return waitpid(pid_, &status, WNOHANG) == pid_; });
    INFO("no end; it says: " << said());
    REQUIRE(has_ended);
    pid_ = 0;
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
  }

  bool AwaitText(const std::string& text, absl::Duration limit) const {
    return Await(limit, [&] { return said().find(text) != std::string::npos; });
  }

  /// True as soon as `holds()` is.
  template <typename Holds>
  static bool Await(absl::Duration limit, Holds holds) {
    const absl::Time deadline = absl::Now() + limit;
    while (!holds()) {
      if (absl::Now() >= deadline) return false;
      absl::SleepFor(absl::Milliseconds(10));
    }
    return true;
  }

 private:
  const ScratchDirectory directory_;
  const std::string output_;
  pid_t pid_ = 0;
};

/// What a program that ends by itself did.
struct Outcome {
  int code = 0;
  std::string said;
  absl::Duration took;
};

inline Outcome RunProgram(std::vector<std::string> words,
                          absl::Duration limit = absl::Seconds(30)) {
  const absl::Time start = absl::Now();
  Program program(std::move(words));
  Outcome outcome{.code = program.Wait(limit), .said = {}, .took = absl::Now() - start};
  outcome.said = program.said();
  return outcome;
}

}  // namespace longtail::test
