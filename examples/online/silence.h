// Notices that nothing comes, and says so every ten seconds.
#pragma once

#include <ostream>
#include <string>
#include <string_view>

#include "absl/time/time.h"

namespace longtail::examples {

/// Thread: one at a time.
class Silence {
 public:
  explicit Silence(std::ostream& out) : out_(out) {}

  /// Nothing came of what is waited for, and it is `now`; `problem`: what the brokers' connection
  /// complains of.
  void Note(std::string_view awaited, std::string_view problem, absl::Time now);

  /// Something came.
  void End();

  /// What was said last of a silence that goes on; empty until it has lasted ten seconds.
  const std::string& sentence() const { return sentence_; }

 private:
  std::ostream& out_;
  absl::Time since_ = absl::InfiniteFuture();
  absl::Time say_at_ = absl::InfiniteFuture();
  std::string sentence_;
};

}  // namespace longtail::examples
