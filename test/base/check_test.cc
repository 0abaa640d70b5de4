#include "base/check.h"

#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <cstdio>
#include <string>

namespace longtail {
namespace {

// Runs `body` in a child process; gives the signal that ended it, 0 if none, and its stderr.
template <typename Body>
std::pair<int, std::string> InChild(Body body) {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  const pid_t child = fork();
  if (child == 0) {
    std::signal(SIGABRT, SIG_DFL);
    dup2(ends[1], STDERR_FILENO);
    body();
    _exit(0);
  }
  close(ends[1]);
  std::string text;
  char buffer[256];
  for (ssize_t n = 0; (n = read(ends[0], buffer, sizeof(buffer))) > 0;) {
    text.append(buffer, static_cast<std::size_t>(n));
  }
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  return {WIFSIGNALED(status) ? WTERMSIG(status) : 0, text};
}

TEST_CASE("a check that holds does nothing and evaluates its condition once", "[base][check]") {
  int evaluated = 0;

  LONGTAIL_CHECK(++evaluated == 1);

  CHECK(evaluated == 1);
}

TEST_CASE("a check that breaks prints its condition and place and aborts", "[base][check]") {
  const auto [signal, text] = InChild([] { LONGTAIL_CHECK(2 + 2 == 5); });

  CHECK(signal == SIGABRT);
  CHECK(text.find("check failed: 2 + 2 == 5 at ") != std::string::npos);
  CHECK(text.find("check_test.cc:") != std::string::npos);
}

}  // namespace
}  // namespace longtail
