#include "serving/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <system_error>

#include "absl/strings/str_cat.h"

namespace longtail::serving {
namespace {

constexpr std::size_t kHugePageBytes = std::size_t{2} << 20;

absl::Status SystemError(const char* doing, const std::string& path, int error) {
  const std::string message =
      absl::StrCat(doing, " '", path, "': ", std::generic_category().message(error));
  if (error == ENOENT || error == ENOTDIR) return absl::NotFoundError(message);
  if (error == EACCES || error == EPERM) return absl::PermissionDeniedError(message);
  return absl::UnavailableError(message);
}

}  // namespace

absl::StatusOr<std::unique_ptr<MappedFile>> MappedFile::Open(const std::string& path,
                                                             ServingMemory memory) {
  int fd = -1;
  do {
    fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  } while (fd < 0 && errno == EINTR);
  if (fd < 0) return SystemError("opening", path, errno);
  struct stat found {};
  if (::fstat(fd, &found) != 0) {
    const int error = errno;
    ::close(fd);
    return SystemError("looking at", path, error);
  }
  if (!S_ISREG(found.st_mode)) {
    ::close(fd);
    return absl::InvalidArgumentError(absl::StrCat("'", path, "': want a file"));
  }
  const auto size = static_cast<std::size_t>(found.st_size);
  void* data = nullptr;
  if (size > 0) {  // Nothing cannot be mapped.
    data = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, fd, 0);
    if (data == MAP_FAILED) {
      const int error = errno;
      ::close(fd);
      return SystemError(absl::StrCat("mapping ", size, " bytes of").c_str(), path, error);
    }
  }
  ::close(fd);
  if (memory == ServingMemory::kMapped || size == 0) {
    return std::unique_ptr<MappedFile>(
        new MappedFile(static_cast<const std::byte*>(data), size, size));
  }
  const std::size_t whole = (size + kHugePageBytes - 1) / kHugePageBytes * kHugePageBytes;
  void* const copy =
      ::mmap(nullptr, whole, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (copy == MAP_FAILED) {
    const int error = errno;
    ::munmap(data, size);
    return SystemError(absl::StrCat("taking ", whole, " bytes of memory for").c_str(), path, error);
  }
  static_cast<void>(::madvise(copy, whole, MADV_HUGEPAGE));  // It works without them, too.
  std::memcpy(copy, data, size);
  ::munmap(data, size);
  return std::unique_ptr<MappedFile>(
      new MappedFile(static_cast<const std::byte*>(copy), size, whole));
}

MappedFile::~MappedFile() {
  if (mapped_ > 0) ::munmap(const_cast<std::byte*>(data_), mapped_);
}

}  // namespace longtail::serving
