// The terminal of a program that draws again and again, as it was before once that ends.
#pragma once

#include <termios.h>

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "cli/top_answer.h"

namespace longtail::cli {

/// On a terminal each picture takes the place of the one before, on a screen of its own; elsewhere
/// pictures follow one another, with an empty line between. Plain ANSI, no colours.
class TopScreen {
 public:
  TopScreen();
  ~TopScreen();
  TopScreen(const TopScreen&) = delete;
  TopScreen& operator=(const TopScreen&) = delete;

  bool is_terminal() const { return is_terminal_; }

  /// What fits now; without a terminal all does.
  TopView view() const;

  /// Errors: Unavailable (the output takes no more); Cancelled (who read it has gone).
  absl::Status Draw(const std::string& picture);

  /// Whether somebody pressed q since it was asked last.
  bool WantsToEnd();

 private:
  const bool is_terminal_;
  std::optional<termios> before_;  // Of the keyboard, if there is one.
  bool is_first_ = true;
};

/// Writes all of it to standard output. Errors: as TopScreen::Draw.
absl::Status WriteOut(const std::string& text);

}  // namespace longtail::cli
