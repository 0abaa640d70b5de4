#include "cli/end_signals.h"

#include <pthread.h>
#include <unistd.h>

namespace longtail::cli {
namespace {

sigset_t Both() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  return signals;
}

}  // namespace

EndSignals::EndSignals() {
  const sigset_t signals = Both();
  pthread_sigmask(SIG_BLOCK, &signals, &before_);
  signal(SIGPIPE, SIG_IGN);
}

EndSignals::~EndSignals() {
  // One that came late is not to end what has ended well.
  const sigset_t signals = Both();
  const timespec now{};
  while (sigtimedwait(&signals, nullptr, &now) > 0) {
  }
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

int EndSignals::Wait() const {
  const sigset_t signals = Both();
  int number = 0;
  while (sigwait(&signals, &number) != 0) {
  }
  return number;
}

bool EndSignals::WaitFor(absl::Duration time) const {
  const sigset_t signals = Both();
  const timespec left = absl::ToTimespec(time);
  return sigtimedwait(&signals, nullptr, &left) > 0;
}

void EndSignals::Raise() {
  kill(getpid(), SIGTERM);
}

}  // namespace longtail::cli
