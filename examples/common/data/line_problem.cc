#include "examples/common/data/line_problem.h"

#include <cstdio>

#include "absl/strings/str_cat.h"

namespace longtail::examples {
namespace {

constexpr std::size_t kQuotedSizeMax = 40;  // In bytes; what is longer ends in "...".

}  // namespace

std::string Quoted(std::string_view text) {
  std::string quoted = "'";
  for (const char c : text.substr(0, kQuotedSizeMax)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7F) {
      quoted += c;
    } else {
      char escape[5];
      std::snprintf(escape, sizeof(escape), "\\x%02X", static_cast<unsigned>(byte));
      quoted += escape;
    }
  }
  if (text.size() > kQuotedSizeMax) quoted += "...";
  quoted += "'";
  return quoted;
}

absl::Status BadLineError(std::string_view file, std::uint64_t line, const LineProblem& problem) {
  return absl::InvalidArgumentError(
      absl::StrCat(std::string(file), ":", line, ":", problem.offset + 1, ": ", problem.message));
}

}  // namespace longtail::examples
