// An archive that every machine can open: tar, as POSIX.1-1988 has it ("ustar").
#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace longtail::cli {

/// Files added one after the other, in memory.
class TarFile {
 public:
  /// Files are said to be of this time.
  explicit TarFile(absl::Time time) : time_(time) {}

  /// Needs a name of at most 99 characters.
  void Add(const std::string& name, std::string_view bytes);

  /// The archive so far, with its end.
  std::string Bytes() const;

 private:
  const absl::Time time_;
  std::string bytes_;
};

}  // namespace longtail::cli
