// Exit statuses and --json: the same for every command.
#include "cli/exit_codes.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "cli/action_answer.h"
#include "cluster/program_cluster.h"
#include "support/program.h"

namespace longtail::cli {
namespace {

using nlohmann::json;
using test::Outcome;
using test::Program;
using test::ProgramCluster;

Outcome Run(std::vector<std::string> words) {
  words.insert(words.begin(), LONGTAIL_PROGRAM);
  return test::RunProgram(words, absl::Seconds(60));
}

// The words that lead to each command that does something.
void CollectCommands(const std::vector<std::string>& words,
                     std::vector<std::vector<std::string>>& commands) {
  std::vector<std::string> help = words;
  help.emplace_back("--help");
  const std::string said = Run(help).said;
  const std::size_t listed = said.find("Subcommands:\n");
  if (listed == std::string::npos) return commands.push_back(words);
  for (const auto text : absl::StrSplit(said.substr(listed), '\n')) {
    const std::string line(text);
    if (!line.starts_with("  ") || line.starts_with("   ")) continue;
    std::vector<std::string> longer = words;
    longer.push_back(line.substr(2, line.find(' ', 2) - 2));
    CollectCommands(longer, commands);
  }
}

TEST_CASE("every command refuses wrong use with 2, and all that answer can do so in JSON",
          "[cli][exit_codes]") {
  std::vector<std::vector<std::string>> commands;
  CollectCommands({}, commands);
  REQUIRE(commands.size() > 20);
  // These go on until they are told to end, or write what is no answer.
  const std::set<std::string> without_json = {"coordinator", "serve",      "manual",
                                              "completion",  "keys new",   "keys add",
                                              "keys remove", "keys renew", "keys rotate"};
  for (std::vector<std::string> words : commands) {
    CAPTURE(words);
    const std::string name = absl::StrJoin(words, " ");
    words.emplace_back("--help");
    const Outcome help = Run(words);
    CHECK(help.code == kDone);
    CHECK((help.said.find("--json") != std::string::npos) != without_json.contains(name));
    words.back() = "--no-such-option";
    CHECK(Run(words).code == kWrongUse);
  }
  CHECK(Run({}).code == kWrongUse);
  CHECK(Run({"no-such-command"}).code == kWrongUse);
  CHECK(Run({"--version"}).code == kDone);
}

TEST_CASE("the table of exit statuses is told by --help, the man page and the docs",
          "[cli][exit_codes]") {
  const std::string help = Run({"--help"}).said;
  const std::string page = Run({"manual"}).said;
  for (const auto line : absl::StrSplit(ExitCodesText(), '\n', absl::SkipEmpty())) {
    const std::string text(line);
    CHECK(help.find(text) != std::string::npos);
    // Where it is a hyphen that is meant, a man page has it escaped.
    CHECK(page.find(absl::StrReplaceAll(text, {{"-", "\\-"}})) != std::string::npos);
  }
  const std::string docs = test::ReadWhole(LONGTAIL_DOCS_DIR "/OPERATING.md");
  for (const ExitCode code : {kDone, kFailed, kWrongUse, kNotWell}) {
    CHECK(docs.find("\n| " + std::to_string(code) + " | ") != std::string::npos);
  }
  CHECK(docs.find("\n| 4 | ") == std::string::npos);
}

TEST_CASE("status says by its exit status what it says", "[cli][exit_codes]") {
  ProgramCluster cluster({.servers = 1, .lease_seconds = 5});
  CHECK(Run({"status", "--cluster", cluster.address}).code == kDone);
  const Outcome moved = Run({"rebalance", "--json", "--cluster", cluster.address});
  CHECK(moved.code == kDone);
  const json answer = json::parse(moved.said);
  CHECK(answer.at("done") == "rebalance");
  CHECK(answer.at("seconds") >= 0);
  CHECK(Run({"move", "9", "nobody", "--cluster", cluster.address}).code == kFailed);
  cluster.servers[0]->Kill();
  CHECK(Program::Await(absl::Seconds(20), [&] {
    return Run({"status", "--cluster", cluster.address}).code == kNotWell;
  }));
  CHECK(Run({"top", "--once", "--cluster", cluster.address}).code == kNotWell);
  cluster.coordinator->Kill();
  CHECK(Run({"status", "--cluster", cluster.address}).code == kFailed);
}

TEST_CASE("what was done is told in JSON, too", "[cli][exit_codes]") {
  const test::ScratchDirectory directory;
  const std::string where = directory.path() + "/c";
  const Outcome up = Run({"up", "1", "--dir", where, "--json"});
  INFO(up.said);
  REQUIRE(up.code == kDone);
  const json started = json::parse(up.said);
  CHECK(started.at("done") == "up");
  CHECK(started.at("cluster") == where + "/cluster");
  CHECK(started.at("servers") == 1);
  const Outcome down = Run({"down", "--dir", where, "--json"});
  CHECK(down.code == kDone);
  CHECK(json::parse(down.said).at("done") == "down");
  CHECK(Run({"down", "--dir", where}).code == kFailed);
  CHECK(ActionJson({.done = "rollback",
                    .took = absl::Milliseconds(1500),
                    .texts = {{"checkpoint", "a\nb"}},
                    .numbers = {{"step", 7}}}) ==
        "{\"checkpoint\":\"a\\nb\",\"done\":\"rollback\",\"seconds\":1.5,\"step\":7}\n");
}

}  // namespace
}  // namespace longtail::cli
