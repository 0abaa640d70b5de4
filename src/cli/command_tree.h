// The commands and options of a program as plain data, for what is written about them.
#pragma once

#include <string>
#include <vector>

namespace longtail::cli {

struct OptionPage {
  std::vector<std::string> names{};    ///< "--json"; of an argument without one its word: "store".
  std::string value{};                 ///< What kind of value it takes: "TEXT"; empty: none.
  std::vector<std::string> choices{};  ///< The values there are, if they are few.
  std::string description{};
  std::string by_default{};  ///< Empty: none is told.
  bool is_required = false;
  bool is_argument = false;  ///< Given by its place and not by its name.
};

struct CommandPage {
  std::string name{};  ///< Of the program for the whole: "longtail".
  std::string description{};
  std::vector<OptionPage> options{};  ///< Those of --help, but not --help itself.
  std::vector<CommandPage> commands{};
};

}  // namespace longtail::cli
