// The background processes of `up`: started, found again, never mistaken for another.
#include "cli/program_process.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "absl/time/clock.h"
#include "cli/end_signals.h"
#include "server/cluster_fixture.h"
#include "server/scratch_directory.h"
#include "support/program.h"

namespace longtail::cli {
namespace {

using test::Must;

TEST_CASE("a pid file tells of a process by its number and command line", "[cli][process]") {
  const test::ScratchDirectory directory;
  const std::string file = directory.path() + "/server-3.pid";
  test::Program other({LONGTAIL_PROGRAM, "serve", "--coordinator", "tcp://127.0.0.1:1"});
  REQUIRE(other.AwaitText("waiting", absl::Seconds(20)));
  ProgramProcess process{.name = "server-3",
                         .pid = other.pid(),
                         .command_line = LONGTAIL_PROGRAM " serve --coordinator tcp://127.0.0.1:1"};
  Must(WritePidFile(file, process));

  const ProgramProcess found = ReadPidFile(file);

  CHECK(found.name == "server-3");
  CHECK(found.pid == other.pid());
  CHECK(IsAlive(found));

  SECTION("a process that has its number now is another one") {
    process.command_line += " --name s";
    CHECK(!IsAlive(process));
    Signal(process, SIGKILL);
    CHECK(IsAlive(found));
    CHECK(AwaitEnd(process, absl::InfinitePast()));
  }
  SECTION("it is told to end, even while it waits for its cluster, and ends well") {
    CHECK(!AwaitEnd(found, absl::Now() + absl::Milliseconds(50)));
    Signal(found, SIGTERM);
    CHECK(AwaitEnd(found, absl::Now() + absl::Seconds(10)));  // Not yet asked how: a zombie.
    CHECK(other.Wait(absl::Seconds(10)) == 0);
    CHECK(other.said().find("server_ends signal=15") != std::string::npos);
  }
}

TEST_CASE("a pid file that is missing or damaged tells of no process", "[cli][process]") {
  const test::ScratchDirectory directory;
  const std::string file = directory.path() + "/a.pid";
  CHECK(!IsAlive(ReadPidFile(file)));
  for (const char* text : {"", "x", "1", "-1\nlongtail\n", "999999999999\nlongtail\n"}) {
    test::WriteWhole(file, text);
    CAPTURE(text);
    CHECK(!IsAlive(ReadPidFile(file)));
  }
  CHECK(absl::IsUnavailable(WritePidFile(directory.path() + "/no/a.pid", {})));
}

TEST_CASE("the last words of a log are its last line", "[cli][process]") {
  const test::ScratchDirectory directory;
  CHECK(LastLine(directory.path() + "/log") == "nothing");
  test::WriteWhole(directory / "log", "first\nlast\n\n");
  CHECK(LastLine(directory.path() + "/log") == "last");
}

TEST_CASE("a signal to end is waited for, and ends nothing by itself", "[cli][process]") {
  const EndSignals signals;
  EndSignals::Raise();
  CHECK(signals.Wait() == SIGTERM);
  kill(getpid(), SIGINT);
  CHECK(signals.Wait() == SIGINT);
}

}  // namespace
}  // namespace longtail::cli
