#include "cli/top_screen.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace longtail::cli {
namespace {

// Another screen, and no cursor; the one from before, and the cursor.
constexpr std::string_view kEnter = "\x1b[?1049h\x1b[?25l";
constexpr std::string_view kLeave = "\x1b[?25h\x1b[?1049l";
constexpr std::string_view kHome = "\x1b[H";
constexpr std::string_view kRestOfLine = "\x1b[K";
constexpr std::string_view kRestOfScreen = "\x1b[J";

}  // namespace

absl::Status WriteOut(const std::string& text) {
  std::string_view left = text;
  while (!left.empty()) {
    const ssize_t written = write(STDOUT_FILENO, left.data(), left.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0 && errno == EPIPE) return absl::CancelledError("nobody reads");
    if (written < 0) {
      return absl::UnavailableError(
          absl::StrCat("standard output: cannot be written: ", std::strerror(errno)));
    }
    left.remove_prefix(static_cast<std::size_t>(written));
  }
  return absl::OkStatus();
}

TopScreen::TopScreen() : is_terminal_(isatty(STDOUT_FILENO) != 0) {
  if (!is_terminal_) return;
  termios now{};
  if (tcgetattr(STDIN_FILENO, &now) == 0) {
    before_ = now;
    now.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);  // Keys as they come; Ctrl-C as ever.
    tcsetattr(STDIN_FILENO, TCSANOW, &now);
  }
  WriteOut(std::string(kEnter)).IgnoreError();
}

TopScreen::~TopScreen() {
  if (!is_terminal_) return;
  WriteOut(std::string(kLeave)).IgnoreError();
  if (before_) tcsetattr(STDIN_FILENO, TCSANOW, &*before_);
}

TopView TopScreen::view() const {
  winsize size{};
  if (!is_terminal_) return {.lines = SIZE_MAX, .columns = SIZE_MAX, .bars = BarStyle::kAscii};
  TopView view{.bars = BarStyle::kBlocks};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row != 0 && size.ws_col != 0) {
    view.lines = std::size_t{size.ws_row} - 1;  // The last one's end would move all up.
    view.columns = size.ws_col;
  }
  return view;
}

absl::Status TopScreen::Draw(const std::string& picture) {
  if (!is_terminal_)
    return WriteOut(absl::StrCat(std::exchange(is_first_, false) ? "" : "\n", picture));
  const std::string end = absl::StrCat(std::string(kRestOfLine), "\r\n");
  return WriteOut(absl::StrCat(std::string(kHome), absl::StrReplaceAll(picture, {{"\n", end}}),
                               std::string(kRestOfScreen)));
}

bool TopScreen::WantsToEnd() {
  bool wants = false;
  pollfd keyboard{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
  while (before_ && poll(&keyboard, 1, 0) > 0) {
    char key = 0;
    if (read(STDIN_FILENO, &key, 1) != 1) break;
    wants |= key == 'q' || key == 'Q';
  }
  return wants;
}

}  // namespace longtail::cli
