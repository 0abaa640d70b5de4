#include "checkpoint/output_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/status_macros.h"

namespace longtail::checkpoint {
namespace {

constexpr std::size_t kBufferBytes = std::size_t{1} << 20;
constexpr mode_t kFileMode = 0666;  // Less the umask.

absl::Status SystemError(const char* doing, const std::string& path, int error) {
  const std::string message =
      absl::StrCat(doing, " '", path, "': ", std::generic_category().message(error));
  if (error == ENOSPC || error == EDQUOT || error == EFBIG) {
    return absl::ResourceExhaustedError(message);
  }
  return error == ENOENT ? absl::NotFoundError(message) : absl::UnavailableError(message);
}

// Makes a file's name durable. What has no such thing, as a pipe's directory may, says EINVAL.
absl::Status SyncDirectoryOf(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  std::string directory = ".";
  if (slash != std::string::npos) directory = slash == 0 ? "/" : path.substr(0, slash);
  const int fd = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return SystemError("opening directory", directory, errno);
  const int error = ::fsync(fd) == 0 ? 0 : errno;
  ::close(fd);
  if (error != 0 && error != EINVAL) return SystemError("syncing directory", directory, error);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<OutputFile>> OutputFile::Create(const std::string& path) {
  if (path.empty()) return absl::InvalidArgumentError("output file '': want a name");
  const std::string unfinished = path + "~";
  const int fd = ::open(unfinished.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, kFileMode);
  if (fd < 0) return SystemError("creating", unfinished, errno);
  return std::unique_ptr<OutputFile>(new OutputFile(path, fd));
}

OutputFile::OutputFile(std::string path, int fd)
    : path_(std::move(path)), unfinished_(path_ + "~"), fd_(fd) {
  buffer_.reserve(kBufferBytes);
}

OutputFile::~OutputFile() {
  if (fd_ < 0) return;
  ::close(fd_);
  ::unlink(unfinished_.c_str());
}

absl::Status OutputFile::Append(std::string_view bytes) {
  buffer_ += bytes;
  return buffer_.size() < kBufferBytes ? absl::OkStatus() : Flush();
}

absl::Status OutputFile::Flush() {
  std::size_t done = 0;
  while (done < buffer_.size()) {
    const ssize_t n = ::write(fd_, buffer_.data() + done, buffer_.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return SystemError("writing", unfinished_, errno);
    done += static_cast<std::size_t>(n);
  }
  buffer_.clear();
  return absl::OkStatus();
}

absl::Status OutputFile::Patch(std::uint64_t offset, std::string_view bytes) {
  LONGTAIL_RETURN_IF_ERROR(Flush());
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t n =
        ::pwrite(fd_, bytes.data() + done, bytes.size() - done, static_cast<off_t>(offset + done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return SystemError("writing", unfinished_, errno);
    done += static_cast<std::size_t>(n);
  }
  return absl::OkStatus();
}

absl::Status OutputFile::Finish() {
  LONGTAIL_CHECK(fd_ >= 0);
  LONGTAIL_RETURN_IF_ERROR(Flush());
  if (::fsync(fd_) != 0 && errno != EINVAL) return SystemError("syncing", unfinished_, errno);
  const int closed = ::close(std::exchange(fd_, -1));
  if (closed != 0 && errno != EINTR) {
    const int error = errno;
    ::unlink(unfinished_.c_str());
    return SystemError("closing", unfinished_, error);
  }
  if (std::rename(unfinished_.c_str(), path_.c_str()) != 0) {
    const int error = errno;
    ::unlink(unfinished_.c_str());
    return SystemError("renaming to", path_, error);
  }
  return SyncDirectoryOf(path_);
}

}  // namespace longtail::checkpoint
