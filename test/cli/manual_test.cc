// The man page and what bash completes are what the program's own --help says, word for word: of
// every command, and of nothing that there is not.
#include <catch2/catch.hpp>
#include <filesystem>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "cli/bash_completion.h"
#include "cli/command_tree.h"
#include "cli/man_page.h"
#include "cli/manual_command.h"
#include "server/scratch_directory.h"
#include "support/program.h"

namespace longtail::cli {
namespace {

using Names = std::set<std::string>;

std::string HelpOf(const std::vector<std::string>& words) {
  std::vector<std::string> all = {LONGTAIL_PROGRAM};
  all.insert(all.end(), words.begin(), words.end());
  all.emplace_back("--help");
  const test::Outcome outcome = test::RunProgram(all);
  REQUIRE(outcome.code == 0);
  return outcome.said;
}

// What --help lists in a part of it: its lines that are indented by two blanks.
std::vector<std::string> Listed(const std::string& help, const std::string& part) {
  std::vector<std::string> words;
  bool is_in = false;
  for (const auto line_text : absl::StrSplit(help, '\n')) {
    const std::string line(line_text);
    if (!line.starts_with(' ')) is_in = line == part + ":";
    if (!is_in || !line.starts_with("  ") || line.starts_with("   ")) continue;
    words.push_back(line.substr(2, line.find_first_of(" ", 2) - 2));
  }
  return words;
}

// "serve --log", "ckpt verify --json", …, of every command, as --help has them.
void Collect(const std::vector<std::string>& command, Names& commands, Names& options) {
  const std::string help = HelpOf(command);
  const std::string words = absl::StrJoin(command, " ");
  for (const std::string& names : Listed(help, "Options")) {
    for (const auto name_text : absl::StrSplit(names, ',')) {
      const std::string name(name_text);
      if (name != "-h" && name != "--help") options.insert(absl::StrCat(words, " ", name));
    }
  }
  for (const std::string& next : Listed(help, "Subcommands")) {
    std::vector<std::string> longer = command;
    longer.push_back(next);
    commands.insert(absl::StrJoin(longer, " "));
    Collect(longer, commands, options);
  }
}

// The same, as the man page has them.
void CollectOfPage(const std::string& page, Names& commands, Names& options) {
  std::string command;
  const std::regex name("\\\\fB(\\\\-\\\\-[a-z\\\\-]+)\\\\fR");
  for (const auto line_text : absl::StrSplit(page, '\n')) {
    const std::string line(line_text);
    if (line.starts_with(".SS \\fBlongtail ")) {
      const std::size_t from = std::string(".SS \\fBlongtail ").size();
      command = absl::StrReplaceAll(line.substr(from, line.find("\\fR") - from), {{"\\-", "-"}});
      commands.insert(command);
    } else if (line.starts_with(".SH ")) {
      command.clear();
    }
    if (!line.starts_with("\\fB\\-\\-")) continue;
    for (std::sregex_iterator at(line.begin(), line.end(), name), end; at != end; ++at) {
      const std::string found = absl::StrReplaceAll((*at)[1].str(), {{"\\-", "-"}});
      if (found != "--help") options.insert(absl::StrCat(command, " ", found));
    }
  }
}

TEST_CASE("the man page names every command and option, and no other", "[cli][manual]") {
  Names commands;
  Names options;
  Collect({}, commands, options);
  REQUIRE(commands.contains("ckpt verify"));
  REQUIRE(options.contains("serve --log"));
  REQUIRE(options.size() > 100);
  const test::Outcome page = test::RunProgram({LONGTAIL_PROGRAM, "manual"});
  REQUIRE(page.code == 0);
  Names page_commands;
  Names page_options;
  CollectOfPage(page.said, page_commands, page_options);
  CHECK(page_commands == commands);
  CHECK(page_options == options);
  for (const char* part : {".SH EXIT STATUS", ".SH EXAMPLES", ".TH LONGTAIL 1"}) {
    CHECK(page.said.find(part) != std::string::npos);
  }
  if (!std::filesystem::exists("/usr/bin/groff")) {
    WARN("[skip] no groff here, which would say what is wrong with the page");
    return;
  }
  const test::ScratchDirectory directory;
  test::WriteWhole(directory.path() + "/longtail.1", page.said);
  const test::Outcome set = test::RunProgram(
      {"/usr/bin/groff", "-man", "-Tutf8", "-ww", "-z", directory.path() + "/longtail.1"});
  CHECK(set.code == 0);
  CHECK(set.said.empty());
}

// What bash offers for a line of words, of which the last is being written.
std::vector<std::string> Completed(const std::string& script,
                                   const std::vector<std::string>& words) {
  std::string line = absl::StrCat("source '", script, "'; COMP_WORDS=(longtail");
  for (const std::string& word : words) absl::StrAppend(&line, " '", word, "'");
  absl::StrAppend(&line, "); COMP_CWORD=", words.size(),
                  "; _longtail; printf '%s\\n' \"${COMPREPLY[@]}\"");
  const test::Outcome outcome =
      test::RunProgram({"/bin/bash", "--norc", "--noprofile", "-c", line});
  INFO(outcome.said);
  REQUIRE(outcome.code == 0);
  std::vector<std::string> offered = absl::StrSplit(outcome.said, '\n', absl::SkipEmpty());
  return offered;
}

TEST_CASE("bash completes every command and option, and no other", "[cli][manual]") {
  const test::ScratchDirectory directory;
  const std::string script = directory.path() + "/longtail.bash";
  const test::Outcome outcome = test::RunProgram({LONGTAIL_PROGRAM, "completion", "bash"});
  REQUIRE(outcome.code == 0);
  test::WriteWhole(script, outcome.said);
  Names commands;
  Names options;
  Collect({}, commands, options);
  Names offered_commands;
  Names offered_options;
  commands.insert("");
  for (const std::string& command : commands) {
    std::vector<std::string> words = absl::StrSplit(command, ' ', absl::SkipEmpty());
    words.emplace_back("-");
    for (const std::string& option : Completed(script, words)) {
      if (option != "--help") offered_options.insert(absl::StrCat(command, " ", option));
    }
    if (Listed(HelpOf({words.begin(), words.end() - 1}), "Subcommands").empty()) continue;
    words.back() = "";
    for (const std::string& next : Completed(script, words)) {
      words.back() = next;
      offered_commands.insert(absl::StrJoin(words, " "));
    }
  }
  commands.erase("");
  CHECK(offered_commands == commands);
  CHECK(offered_options == options);

  using Words = std::vector<std::string>;
  CHECK(Completed(script, {"ck"}) == Words{"ckpt"});
  CHECK(Completed(script, {"coordinator", "--step-mode", "b"}) == Words{"bounded"});
  // A value that is called as a command is none, and a value's place takes a file's name.
  CHECK(Completed(script, {"serve", "--name", "ckpt", "--ver"}).empty());
  test::WriteWhole(directory.path() + "/cluster-file", "");
  CHECK(Completed(script, {"status", "--cluster", directory.path() + "/clus"}) ==
        Words{directory.path() + "/cluster-file"});
}

TEST_CASE("a value that is called as a command is none", "[cli][manual]") {
  const CommandPage page{.name = "longtail",
                         .description = "",
                         .options = {{.names = {"--name"}, .value = "TEXT", .description = ""}},
                         .commands = {{.name = "one",
                                       .description = "",
                                       .options = {{.names = {"--deep"}, .description = ""}}}}};
  const test::ScratchDirectory directory;
  const std::string script = directory.path() + "/longtail.bash";
  test::WriteWhole(script, BashCompletion(page));
  using Words = std::vector<std::string>;
  CHECK(Completed(script, {"--name", "one", "--"}) == Words{"--help", "--name"});
  CHECK(Completed(script, {"--name", "x", "one", "--d"}) == Words{"--deep"});
}

TEST_CASE("texts of all kinds stand in a man page as they are", "[cli][manual]") {
  const CommandPage page{.name = "longtail",
                         .description = "Does",
                         .commands = {{.name = "one",
                                       .description = ".that \\ is",
                                       .options = {{.names = {"-a", "--all"},
                                                    .value = "TEXT",
                                                    .choices = {"x", "y-z"},
                                                    .description = "'quoted",
                                                    .by_default = "x",
                                                    .is_required = true}}}}};
  const std::string text = ManPage(page, "1.2.3");
  CHECK(text.find(".SS \\fBlongtail one\\fR [\\fIOPTIONS\\fR]\n\\&.that \\e is.\n") !=
        std::string::npos);
  CHECK(text.find(".TP\n\\fB\\-a\\fR, \\fB\\-\\-all\\fR \\fITEXT\\fR\n\\&'quoted (x, y\\-z) "
                  "(required); default: x\n") != std::string::npos);
  CHECK(BashCompletion(page).find("'longtail one --all') choices='x y-z'; takes_value=1") !=
        std::string::npos);
}

}  // namespace
}  // namespace longtail::cli
