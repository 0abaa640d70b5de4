// The program as a user runs it: its output, its errors, its exit status.
#include <sys/wait.h>

#include <catch2/catch.hpp>
#include <cstdlib>

#include "cli/checkpoint_fixture.h"
#include "cli/inspect.h"
#include "cli/inspect_command.h"

namespace longtail::cli {
namespace {

using test::Must;

struct Outcome {
  int code = 0;
  std::string out;
  std::string error;
};

// No argument has a blank or a quote in it.
Outcome Run(const std::string& arguments, const std::string& redirection = "") {
  const test::ScratchDirectory directory;
  const std::string out = directory.path() + "/out";
  const std::string error = directory.path() + "/error";
  const std::string command =
      std::string("'" LONGTAIL_PROGRAM "' ") + arguments + " >" + out + " 2>" + error + redirection;
  const int status = std::system(command.c_str());  // NOLINT(cert-env33-c): the test's own words.
  REQUIRE(WIFEXITED(status));
  return {WEXITSTATUS(status), test::ReadWhole(out), test::ReadWhole(error)};
}

TEST_CASE_METHOD(test::CheckpointFixture, "the program prints the answer and nothing else",
                 "[cli][program]") {
  const Outcome text = Run("inspect table " + checkpoint());
  CHECK(text.code == 0);
  CHECK(text.out == Must(InspectTable({.checkpoint = checkpoint()})));
  CHECK(text.error.empty());

  const Outcome json = Run("inspect hot --json --top 2 " + checkpoint());
  CHECK(json.code == 0);
  CHECK(json.out == Must(InspectHot({.checkpoint = checkpoint(), .form = OutputForm::kJson}, 2)));
}

TEST_CASE_METHOD(test::CheckpointFixture, "the program says what is wrong and exits with 1",
                 "[cli][program]") {
  const std::string file = checkpoint() + "/p00002-0000.snapshot";
  test::WriteWhole(file, test::ReadWhole(file).substr(0, 200));

  const Outcome damaged = Run("inspect hist " + checkpoint());
  CHECK(damaged.code == 1);
  CHECK(damaged.out.empty());
  CHECK(damaged.error.starts_with("longtail: file:"));
  CHECK(damaged.error.find("step-8/p00002-0000.snapshot: truncated at offset 200") !=
        std::string::npos);

  const Outcome absent = Run("inspect table " + store() + "/nope");
  CHECK(absent.code == 1);
  CHECK(absent.error.starts_with("longtail: checkpoint '" + store() + "/nope': there is no such"));
}

TEST_CASE_METHOD(test::CheckpointFixture, "ckpt answers by exit status, too", "[cli][program]") {
  const Outcome whole = Run("ckpt verify " + store());
  CHECK(whole.code == 0);
  CHECK(whole.out.starts_with("checkpoint step-8: whole; "));
  const std::string file = checkpoint() + "/p00002-0000.snapshot";
  test::WriteWhole(file, test::ReadWhole(file).substr(0, 200));

  const Outcome damaged = Run("ckpt verify " + store());
  CHECK(damaged.code == 3);
  CHECK(damaged.error.empty());
  CHECK(damaged.out.find("step-8/p00002-0000.snapshot: partition 2: tables item, user, empty: "
                         "bytes 200..") != std::string::npos);
  const Outcome wrong = Run("ckpt show " + store() + " nope");
  CHECK(wrong.code == 1);
  CHECK(wrong.error.starts_with("longtail: checkpoint 'nope': file:"));
  const Outcome removed = Run("ckpt gc --older-than 0s --keep 1 " + store());
  CHECK(removed.code == 0);
  CHECK(removed.out == "freed 0 bytes in 0 objects; 1 checkpoint kept: step-8\n");
}

TEST_CASE_METHOD(test::CheckpointFixture, "an answer that cannot be written is an error",
                 "[cli][program]") {
  const Outcome full = Run("inspect table " + checkpoint(), " >/dev/full");

  CHECK(full.code == 1);
  CHECK(full.error == "longtail: standard output: cannot be written\n");
}

TEST_CASE("wrong usage is told, help and version are given", "[cli][program]") {
  const Outcome nothing = Run("");
  CHECK(nothing.code > 1);
  CHECK(nothing.error.find("subcommand is required") != std::string::npos);
  CHECK(Run("inspect hist").code > 1);
  CHECK(Run("--version").code == 0);
  const Outcome help = Run("inspect --help");
  CHECK(help.code == 0);
  for (const char* command : {"table", "key", "hot", "hist"}) {
    CHECK(help.out.find(command) != std::string::npos);
  }
}

TEST_CASE("a command line can be checked without being carried out", "[cli][program]") {
  CHECK(Run("--check-arguments serve --coordinator tcp://nowhere:1 --lanes 2").code == 0);
  const Outcome unknown = Run("--check-arguments serve --coordinator tcp://nowhere:1 --lane 2");
  CHECK(unknown.code > 1);
  CHECK(unknown.error.find("--lane") != std::string::npos);
  CHECK(Run("--check-arguments serve --lanes 2").code > 1);
  CHECK(Run("--check-arguments").code > 1);
}

}  // namespace
}  // namespace longtail::cli
