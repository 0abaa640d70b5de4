#include "bench/torch_save.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

namespace longtail::bench {

std::unique_ptr<TorchSave> TorchSave::Start(const std::string& python, std::uint64_t rows,
                                            std::uint64_t values, const std::string& file) {
  int to[2];
  int from[2];
  if (::pipe2(to, O_CLOEXEC) != 0 || ::pipe2(from, O_CLOEXEC) != 0) return nullptr;
  const pid_t process = ::fork();
  if (process == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::dup2(to[0], 0);
    ::dup2(from[1], 1);
    ::dup2(::open("/dev/null", O_WRONLY | O_CLOEXEC), 2);
    ::execlp(python.c_str(), python.c_str(), LONGTAIL_TORCH_SAVE, std::to_string(rows).c_str(),
             std::to_string(values).c_str(), file.c_str(), nullptr);
    ::_exit(127);
  }
  ::close(to[0]);
  ::close(from[1]);
  std::unique_ptr<TorchSave> torch(new TorchSave(to[1], from[0], process));
  if (process < 0 || torch->Line() != "ready") return nullptr;
  return torch;
}

TorchSave::~TorchSave() {
  ::close(to_);
  ::close(from_);
  if (process_ > 0) ::waitpid(process_, nullptr, 0);
}

TorchSave::Times TorchSave::Save() {
  Times times;
  if (::write(to_, "\n", 1) != 1) return {};
  if (std::sscanf(Line().c_str(), "%lf %lf", &times.saved, &times.synced) != 2) return {};
  return times;
}

std::string TorchSave::Line() {
  std::string line;
  for (char c = 0; ::read(from_, &c, 1) == 1 && c != '\n';) line += c;
  return line;
}

}  // namespace longtail::bench
