// What commands that do something say of it to programs.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "absl/time/time.h"

namespace longtail::cli {

struct Action {
  std::string done{};  ///< The command's name: "drain".
  absl::Duration took;
  std::map<std::string, std::string> texts{};      ///< By field.
  std::map<std::string, std::uint64_t> numbers{};  ///< By field.
};

/// One JSON object and the end of its line: "done", "seconds", and the fields.
std::string ActionJson(const Action& action);

}  // namespace longtail::cli
