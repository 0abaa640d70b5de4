#include "cli/man_page.h"

#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "cli/exit_codes.h"

namespace longtail::cli {
namespace {

// Text as troff takes it: a hyphen that can be copied, no backslash, no command at a line's start.
std::string Escaped(const std::string& text) {
  std::string escaped = absl::StrReplaceAll(text, {{"\\", "\\e"}, {"-", "\\-"}, {"\n", " "}});
  if (!escaped.empty() && (escaped[0] == '.' || escaped[0] == '\'')) escaped.insert(0, "\\&");
  return escaped;
}

std::string Bold(const std::string& text) {
  return absl::StrCat("\\fB", Escaped(text), "\\fR");
}

std::string NamesOf(const OptionPage& option) {
  std::string text;
  for (const std::string& name : option.names) {
    absl::StrAppend(&text, text.empty() ? "" : ", ", Bold(name));
  }
  if (!option.value.empty() && !option.is_argument) {
    absl::StrAppend(&text, " \\fI", Escaped(option.value), "\\fR");
  }
  return text;
}

std::string OptionText(const OptionPage& option) {
  std::string text = absl::StrCat(".TP\n", NamesOf(option), "\n", Escaped(option.description));
  if (!option.choices.empty()) {
    absl::StrAppend(&text, " (");
    for (std::size_t i = 0; i < option.choices.size(); ++i) {
      absl::StrAppend(&text, i == 0 ? "" : ", ", Escaped(option.choices[i]));
    }
    absl::StrAppend(&text, ")");
  }
  if (option.is_required) absl::StrAppend(&text, " (required)");
  if (!option.by_default.empty()) {
    absl::StrAppend(&text, "; default: ", Escaped(option.by_default));
  }
  return text + "\n";
}

std::string UseOf(const std::string& words, const CommandPage& command) {
  std::string text = Bold(words);
  if (!command.commands.empty()) absl::StrAppend(&text, " \\fICOMMAND\\fR");
  bool has_options = false;
  for (const OptionPage& option : command.options) has_options |= !option.is_argument;
  if (has_options) absl::StrAppend(&text, " [\\fIOPTIONS\\fR]");
  for (const OptionPage& option : command.options) {
    if (!option.is_argument) continue;
    absl::StrAppend(&text, option.is_required ? " \\fI" : " [\\fI", Escaped(option.names[0]),
                    option.is_required ? "\\fR" : "\\fR]");
  }
  return text;
}

void AddCommand(const std::string& words, const CommandPage& command, std::string& text) {
  absl::StrAppend(&text, ".SS ", UseOf(words, command), "\n", Escaped(command.description), ".\n");
  for (const OptionPage& option : command.options) text += OptionText(option);
  for (const CommandPage& next : command.commands) {
    AddCommand(absl::StrCat(words, " ", next.name), next, text);
  }
}

std::string Example(const std::string& command, const std::string& meaning) {
  return absl::StrCat(".TP\n", Bold(command), "\n", Escaped(meaning), "\n");
}

}  // namespace

std::string ManPage(const CommandPage& program, const std::string& version) {
  std::string text = absl::StrCat(
      ".\\\" Written by `longtail manual`: the program's own commands and options.\n"
      ".TH LONGTAIL 1 \"\" \"Longtail ",
      Escaped(version), "\" \"User Commands\"\n.ad l\n.SH NAME\nlongtail \\- ",
      "runs a cluster of a parameter server for sparse models, and looks after it\n.SH SYNOPSIS\n",
      UseOf(program.name, program), "\n.SH DESCRIPTION\n", Escaped(program.description), "\n");
  for (const OptionPage& option : program.options) text += OptionText(option);
  absl::StrAppend(&text, ".SH COMMANDS\n", Bold("--help"),
                  " gives the options of each command, too.\n");
  for (const CommandPage& command : program.commands) {
    AddCommand(absl::StrCat(program.name, " ", command.name), command, text);
  }
  absl::StrAppend(&text, ".SH EXIT STATUS\n.nf\n");
  const std::string codes = ExitCodesText();
  for (const auto line_text : absl::StrSplit(codes.substr(0, codes.size() - 1), '\n')) {
    const std::string line(line_text);
    absl::StrAppend(&text, Escaped(line), "\n");
  }
  absl::StrAppend(
      &text, ".fi\n.SH EXAMPLES\n",
      Example("longtail up 2 && longtail status",
              "A cluster on this machine, in the background; `longtail down` ends it."),
      Example("longtail doctor --coordinator tcp://HOST:7000 --store STORE",
              "What is wrong, and what to do about it."),
      Example("longtail plan --table ads:fields=26,cardinality=1e6,dim=16 --replicas 2",
              "What a model will take."),
      Example("longtail top --cluster tcp://HOST:7000", "The cluster as it works, live."),
      ".SH SEE ALSO\ndocs/CLUSTER.md, docs/CHECKPOINTS.md\n");
  return text;
}

}  // namespace longtail::cli
