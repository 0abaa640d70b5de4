// What is wrong with a line, and where.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace longtail::examples {

/// A bad line: the first byte that is wrong and a sentence that names the text and what was wanted.
struct LineProblem {
  std::size_t offset = 0;  ///< In bytes, from 0, in the line.
  std::string message;
};

/// `text` in quotes for a message: shortened, and bytes that cannot be printed as \xNN.
std::string Quoted(std::string_view text);

/// InvalidArgument "file:line:column: message"; the column counts bytes from 1.
absl::Status BadLineError(std::string_view file, std::uint64_t line, const LineProblem& problem);

}  // namespace longtail::examples
