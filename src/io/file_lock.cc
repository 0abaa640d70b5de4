#include "io/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "io/file_store.h"
#include "io/this_process.h"

namespace longtail {

absl::StatusOr<std::unique_ptr<StoreLock>> FileLock::Acquire(const std::string& directory,
                                                             const std::string& name) {
  LONGTAIL_RETURN_IF_ERROR(FileStore::Open(directory).status());  // Makes the directory.
  const std::string path = absl::StrCat(directory, "/", StoreLockName(name));
  // Closed on exec, so that no child holds the lock on.
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0) {
    return absl::UnavailableError(absl::StrCat("lock '", path, "': ", std::strerror(errno)));
  }
  std::unique_ptr<StoreLock> lock(new FileLock(fd));
  if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
    const int problem = errno;
    if (problem != EWOULDBLOCK) {
      return absl::UnavailableError(absl::StrCat("lock '", path, "': ", std::strerror(problem)));
    }
    std::array<char, 128> holder{};
    const ssize_t size = pread(fd, holder.data(), holder.size(), 0);
    std::string text(holder.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
    text.erase(std::min(text.find('\n'), text.size()));
    return absl::FailedPreconditionError(
        absl::StrCat("'", directory, "' is in use by another ", name, ", process ",
                     text.empty() ? "(not known)" : text, ": end it, or use another directory"));
  }
  const std::string mine = absl::StrCat(ProcessName(), "\n");
  if (ftruncate(fd, 0) != 0 || pwrite(fd, mine.data(), mine.size(), 0) < 0) {
    return absl::UnavailableError(absl::StrCat("lock '", path, "': ", std::strerror(errno)));
  }
  return lock;
}

FileLock::~FileLock() {
  close(fd_);
}

}  // namespace longtail
