#include "cli/bash_completion.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"

namespace longtail::cli {
namespace {

// In single quotes, as bash takes them.
std::string Quoted(const std::string& text) {
  return absl::StrCat("'", absl::StrReplaceAll(text, {{"'", "'\\''"}}), "'");
}

// The part of the script for a command: what can follow its words.
void AddCase(const std::string& words, const CommandPage& command, std::string& cases,
             std::string& values) {
  std::vector<std::string> options = {"--help"};
  std::vector<std::string> commands;
  for (const OptionPage& option : command.options) {
    if (option.is_argument) continue;
    options.insert(options.end(), option.names.begin(), option.names.end());
    if (option.value.empty()) continue;
    for (const std::string& name : option.names) {
      absl::StrAppend(&values, "    ", Quoted(absl::StrCat(words, " ", name)),
                      ") choices=", Quoted(absl::StrJoin(option.choices, " ")),
                      "; takes_value=1 ;;\n");
    }
  }
  for (const CommandPage& next : command.commands) commands.push_back(next.name);
  absl::StrAppend(&cases, "    ", Quoted(words), ") options=", Quoted(absl::StrJoin(options, " ")),
                  "; commands=", Quoted(absl::StrJoin(commands, " ")), " ;;\n");
  for (const CommandPage& next : command.commands) {
    AddCase(absl::StrCat(words, " ", next.name), next, cases, values);
  }
}

}  // namespace

std::string BashCompletion(const CommandPage& program) {
  std::string cases;
  std::string values;
  AddCase(program.name, program, cases, values);
  return absl::StrCat(R"(# Completion of bash for )", program.name, R"(, written by `)",
                      program.name,
                      R"( completion bash`.

_longtail_of() {
  options='' commands=''
  case "$1" in
)",
                      cases, R"(    *) return 1 ;;
  esac
}

_longtail_value() {
  choices='' takes_value=0
  case "$1" in
)",
                      values, R"(  esac
}

_longtail() {
  local current="${COMP_WORDS[COMP_CWORD]}" words=)",
                      program.name, R"( options commands choices takes_value i word
  COMPREPLY=()
  # The command so far: words that are commands, past options and their values.
  _longtail_of "$words"
  for ((i = 1; i < COMP_CWORD; i++)); do
    word="${COMP_WORDS[i]}"
    _longtail_value "$words $word"
    if [[ $takes_value == 1 ]]; then
      ((i++))
      continue
    fi
    if [[ " $commands " == *" $word "* ]]; then
      words="$words $word"
      _longtail_of "$words"
    fi
  done
  _longtail_value "$words ${COMP_WORDS[COMP_CWORD-1]}"
  if [[ $takes_value == 1 && -n $choices ]]; then
    COMPREPLY=($(compgen -W "$choices" -- "$current"))
  elif [[ $takes_value == 0 && $current == -* ]]; then
    COMPREPLY=($(compgen -W "$options" -- "$current"))
  elif [[ $takes_value == 0 && -n $commands ]]; then
    COMPREPLY=($(compgen -W "$commands" -- "$current"))
  else
    COMPREPLY=($(compgen -f -- "$current"))
    compopt -o filenames 2>/dev/null
  fi
}

complete -F _longtail )",
                      program.name, "\n");
}

}  // namespace longtail::cli
