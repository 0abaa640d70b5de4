// Waits for the signal that ends a program which runs until it is told to end.
#pragma once

#include <signal.h>

#include "absl/time/time.h"

namespace longtail::cli {

/// While it is there, SIGTERM and SIGINT end nothing by themselves in its thread and in those that
/// this one starts: make it before any. A broken pipe is an error of the write from then on.
class EndSignals {
 public:
  EndSignals();
  ~EndSignals();
  EndSignals(const EndSignals&) = delete;
  EndSignals& operator=(const EndSignals&) = delete;

  /// Returns when one of them came, and gives its number.
  int Wait() const;

  /// Returns when one of them came, true, or so much time is over.
  bool WaitFor(absl::Duration time) const;

  /// Makes Wait return, from another thread of the program.
  static void Raise();

 private:
  sigset_t before_{};
};

}  // namespace longtail::cli
