// A server of cluster_bench in a process of its own, so that its CPU time is told apart.
#pragma once

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <string>
#include <vector>

#include "base/check.h"

namespace longtail::bench {

/// User and system seconds of this process, all threads.
inline double CpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

/// The child's side: says the address, then its CPU seconds whenever it is asked, until the parent
/// is gone.
[[noreturn]] inline void ServeParent(const std::string& address) {
  std::printf("%s\n", address.c_str());
  std::fflush(stdout);
  while (std::getchar() != EOF) {
    std::printf("%.6f\n", CpuSeconds());
    std::fflush(stdout);
  }
  _exit(0);  // Its threads serve until the end.
}

/// Thread: one. Ends its process.
class ServerChild {
 public:
  /// Runs this program anew with `arguments`; it must call ServeParent.
  explicit ServerChild(std::vector<std::string> arguments) {
    int in[2];
    int out[2];
    LONGTAIL_CHECK(pipe2(in, O_CLOEXEC) == 0);
    LONGTAIL_CHECK(pipe2(out, O_CLOEXEC) == 0);
    process_ = fork();
    LONGTAIL_CHECK(process_ >= 0);
    if (process_ == 0) {
      dup2(in[0], STDIN_FILENO);
      dup2(out[1], STDOUT_FILENO);
      arguments.insert(arguments.begin(), "cluster_bench");
      std::vector<char*> argv;
      for (std::string& argument : arguments) argv.push_back(argument.data());
      argv.push_back(nullptr);
      execv("/proc/self/exe", argv.data());
      _exit(127);
    }
    close(in[0]);
    close(out[1]);
    to_ = in[1];
    from_ = fdopen(out[0], "r");
    address_ = Line();
  }
  ~ServerChild() {
    close(to_);
    std::fclose(from_);
    waitpid(process_, nullptr, 0);
  }
  ServerChild(const ServerChild&) = delete;
  ServerChild& operator=(const ServerChild&) = delete;

  const std::string& address() const { return address_; }

  double Cpu() {
    LONGTAIL_CHECK(write(to_, "?", 1) == 1);
    return std::stod(Line());
  }

 private:
  std::string Line() {
    char line[512];
    LONGTAIL_CHECK(std::fgets(line, sizeof(line), from_) != nullptr);
    std::string text(line);
    text.pop_back();
    return text;
  }

  pid_t process_ = 0;
  int to_ = -1;
  std::FILE* from_ = nullptr;
  std::string address_;
};

}  // namespace longtail::bench
