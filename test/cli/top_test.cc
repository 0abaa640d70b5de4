// `longtail top` on a terminal, into a file, for programs; how it ends.
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/str_split.h"
#include "cli/end_signals.h"
#include "cli/top_answer.h"
#include "cli/top_command.h"
#include "cli/top_screen.h"
#include "cluster/program_cluster.h"
#include "support/program.h"

namespace longtail::cli {
namespace {

using test::Outcome;
using test::Program;

ClusterStatus SampleStatus() {
  ClusterMap map;
  map.version = 7;
  map.lanes = {NodeId{1}, NodeId{2}};
  map.lane_of = {0, 1};
  map.servers = {
      {.name = "a", .incarnation = 1, .host = "", .lanes = {{.node = NodeId{1}, .addresses = {}}}},
      {.name = "b", .incarnation = 2, .host = "", .lanes = {}}};
  ClusterStatus status{.coordinator = "tcp://h:1",
                       .waits_for = "",
                       .map = std::make_shared<const ClusterMap>(map),
                       .members = {}};
  status.members.resize(3);
  status.members[0].name = "a";
  status.members[0].lanes = 1;
  status.members[0].rows = 1'234'567;
  status.members[0].bytes = std::uint64_t{300} << 20;
  status.members[0].rows_pulled_per_second = 12'340;
  status.members[0].rows_pushed_per_second = 4'560'000;
  status.members[1].name = "b\x1b[2J";
  status.members[1].is_late = true;
  status.members[1].problem = "silent";
  status.members[2].kind = MemberKind::kWorker;
  status.members[2].name = "w";
  status.lanes = {{NodeId{1}, 10, 50, 50}, {NodeId{2}, 20, 100, 100}};
  return status;
}

TEST_CASE("a picture has all in few lines, lanes by what they are asked for", "[cli][top]") {
  const TopView wide{.lines = 50, .columns = 200, .bars = BarStyle::kAscii};
  CHECK(TopText(SampleStatus(), absl::FromUnixSeconds(1'700'000'000), wide) ==
        "longtail top, 22:13:20 UTC, tcp://h:1: 1 LATE\n"
        "2 servers, 2 lanes, 1 worker; asynchronous; map 7, epoch 1\n"
        "1,234,567 rows, 300.0 MiB; 12.3k rows pulled, 4.56M pushed a second\n"
        "\n"
        "  leads       rows    MiB  pulled/s  pushed/s  silent  server\n"
        "      0          0    0.0         0         0   0.0 s  b?[2J  LATE silent\n"
        "      1  1,234,567  300.0     12.3k     4.56M   0.0 s  a\n"
        "\n"
        "  lane  rows  pulled/s  pushed/s  leader\n"
        "     2    20       100       100  NOBODY  ####################\n"
        "     1    10        50        50  a       ##########\n");
}

TEST_CASE("a picture fits its screen", "[cli][top]") {
  for (const std::size_t lines : {std::size_t{8}, std::size_t{10}, std::size_t{60}}) {
    const TopView view{.lines = lines, .columns = 44, .bars = BarStyle::kBlocks};
    const std::string text = TopText(SampleStatus(), absl::Now(), view);
    const std::vector<std::string> shown = absl::StrSplit(text, '\n');
    CHECK(shown.size() <= lines + 1);
    CHECK(shown.back().empty());
    CHECK(std::ranges::all_of(shown, [](const std::string& line) {
      return std::ranges::count_if(line, [](char c) { return (c & 0xC0) != 0x80; }) <= 44;
    }));
  }
  CHECK(TopProblem("nobody\nanswers", absl::FromUnixSeconds(0), TopView{}) ==
        "longtail top, 00:00:00 UTC\nnobody?answers\n");
  CHECK(TopProblem("nobody answers at an address that is a long one", absl::FromUnixSeconds(0),
                   TopView{.columns = 40}) ==
        "longtail top, 00:00:00 UTC\nnobody answers at an address that is a\nlong one\n");
}

// A program on a terminal of its own.
class OnTerminal {
 public:
  explicit OnTerminal(std::vector<std::string> words) {
    master_ = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    REQUIRE(master_ >= 0);
    REQUIRE(grantpt(master_) == 0);
    REQUIRE(unlockpt(master_) == 0);
    slave_ = open(ptsname(master_), O_RDWR | O_NOCTTY | O_CLOEXEC);
    REQUIRE(slave_ >= 0);
    const winsize size{.ws_row = 20, .ws_col = 160, .ws_xpixel = 0, .ws_ypixel = 0};
    ioctl(slave_, TIOCSWINSZ, &size);
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    pid_ = fork();
    if (pid_ == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      setsid();
      ioctl(slave_, TIOCSCTTY, 0);
      for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) dup2(slave_, fd);
      execv(arguments[0], arguments.data());
      _exit(127);
    }
  }
  ~OnTerminal() {
    if (pid_ > 0) {
      kill(pid_, SIGKILL);
      waitpid(pid_, nullptr, 0);
    }
    close(master_);
    close(slave_);
  }
  OnTerminal(const OnTerminal&) = delete;
  OnTerminal& operator=(const OnTerminal&) = delete;

  void Press(const std::string& keys) {
    REQUIRE(write(master_, keys.data(), keys.size()) == static_cast<ssize_t>(keys.size()));
  }

  bool AwaitText(const std::string& text) {
    return Program::Await(absl::Seconds(20), [&] {
      Take();
      return shown_.find(text) != std::string::npos;
    });
  }

  // Its exit status.
  int Wait() {
    int status = 0;
    const bool has_ended = Program::Await(absl::Seconds(10), [&] {
      Take();
      return waitpid(pid_, &status, WNOHANG) == pid_;
    });
    INFO(shown_);
    REQUIRE(has_ended);
    pid_ = 0;
    Take();
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }

  bool takes_lines() const {
    termios now{};
    tcgetattr(slave_, &now);
    return (now.c_lflag & ICANON) != 0 && (now.c_lflag & ECHO) != 0;
  }

  const std::string& shown() const { return shown_; }

 private:
  void Take() {
    char bytes[4096];
    for (ssize_t n = 0; (n = read(master_, bytes, sizeof(bytes))) > 0;) {
      shown_.append(bytes, static_cast<std::size_t>(n));
    }
  }

  int master_ = -1;
  int slave_ = -1;
  pid_t pid_ = 0;
  std::string shown_;
};

TEST_CASE("on a terminal top draws again and again, and leaves it as it was", "[cli][top]") {
  test::ProgramCluster cluster({.servers = 2});
  for (const char* end : {"q", "\x03"}) {  // A key, and Ctrl-C.
    OnTerminal top({LONGTAIL_PROGRAM, "top", "--cluster", cluster.address, "--interval", "0.2"});
    REQUIRE(top.AwaitText("2 servers, 2 lanes"));
    const std::size_t first = top.shown().size();
    REQUIRE(Program::Await(absl::Seconds(20), [&] {
      top.AwaitText("server-1");
      return top.shown().size() > 2 * first;
    }));
    CHECK_FALSE(top.takes_lines());
    CHECK(top.shown().starts_with("\x1b[?1049h\x1b[?25l\x1b[Hlongtail top, "));
    top.Press(end);
    CHECK(top.Wait() == 0);
    CHECK(top.shown().ends_with("\x1b[?25h\x1b[?1049l"));
    CHECK(top.takes_lines());
  }
  // Nobody answers: it says so and goes on asking.
  OnTerminal top({LONGTAIL_PROGRAM, "top", "--cluster", cluster.address, "--interval", "0.2"});
  REQUIRE(top.AwaitText("2 servers"));
  cluster.coordinator->Kill();
  REQUIRE(top.AwaitText("connection refused"));
  cluster.StartCoordinator(cluster.address);
  top.Press("q");
  CHECK(top.Wait() <= 3);
}

TEST_CASE("top works without a terminal, and for programs", "[cli][top]") {
  test::ProgramCluster cluster({.servers = 1});
  const std::vector<std::string> words = {LONGTAIL_PROGRAM, "top", "--cluster", cluster.address};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), words.begin(), words.end());
    return more;
  };
  const Outcome once = test::RunProgram(with({"--once"}));
  CHECK(once.code == 0);
  CHECK(once.said.starts_with("longtail top, "));
  CHECK(once.said.find('\x1b') == std::string::npos);

  const Outcome json = test::RunProgram(with({"--json", "--count", "3", "--interval", "0.1"}));
  CHECK(json.code == 0);
  const std::vector<std::string> lines = absl::StrSplit(json.said, '\n', absl::SkipEmpty());
  REQUIRE(lines.size() == 3);
  for (const std::string& line : lines) CHECK(nlohmann::json::parse(line).at("well") == true);

  Program endless(with({"--interval", "0.1"}));
  REQUIRE(endless.AwaitText("\n\nlongtail top, ", absl::Seconds(20)));
  CHECK(endless.said().find('\x1b') == std::string::npos);
  endless.Send(SIGTERM);
  CHECK(endless.Wait(absl::Seconds(5)) == 0);
  const Outcome piped =
      test::RunProgram({"/bin/bash", "-c",
                        "'" LONGTAIL_PROGRAM "' top --interval 0.1 --cluster " + cluster.address +
                            " | head -n 1; exit ${PIPESTATUS[0]}"});
  CHECK(piped.code == 0);
  CHECK(piped.said.starts_with("longtail top, "));

  cluster.servers[0]->Kill();
  const Outcome gone =
      test::RunProgram({LONGTAIL_PROGRAM, "top", "--once", "--cluster", "tcp://127.0.0.1:1"});
  CHECK(gone.code == 1);
  CHECK(gone.said.find("connection refused") != std::string::npos);
}

}  // namespace
}  // namespace longtail::cli
