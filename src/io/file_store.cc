#include "io/file_store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/resize_anew.h"
#include "base/status_macros.h"
#include "io/direct_write.h"

namespace longtail {
namespace {

constexpr mode_t kDirectoryMode = 0777;  // Less the umask.
constexpr mode_t kFileMode = 0666;
constexpr char kUnfinishedMark = '~';
constexpr int kOpenAttemptsMax = 8;

// A file descriptor that closes itself. A writer closes by hand, for close can report a lost write.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  bool valid() const { return fd_ >= 0; }
  int get() const { return fd_; }
  int Close() { return ::close(std::exchange(fd_, -1)); }

 private:
  int fd_;
};

absl::Status SystemError(std::string_view doing, const std::string& path, int error) {
  const std::string message =
      absl::StrCat(std::string(doing), " '", path, "': ", std::generic_category().message(error));
  switch (error) {
    case ENOENT:
      return absl::NotFoundError(message);
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return absl::ResourceExhaustedError(message);
    case ENAMETOOLONG:
      return absl::InvalidArgumentError(message);
    default:
      return absl::UnavailableError(message);
  }
}

std::string DirectoryOf(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

// Makes the entries of a directory durable: what was created, renamed or removed in it.
absl::Status SyncDirectory(const std::string& path) {
  const Descriptor directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory.valid()) return SystemError("opening directory", path, errno);
  if (::fsync(directory.get()) != 0) return SystemError("syncing directory", path, errno);
  return absl::OkStatus();
}

// Makes a directory and those above it, each durably.
absl::Status MakeDirectories(const std::string& path) {
  struct stat found {};
  if (::stat(path.c_str(), &found) == 0) {
    if (S_ISDIR(found.st_mode)) return absl::OkStatus();
    return absl::InvalidArgumentError(absl::StrCat("'", path, "' is a file: want a directory"));
  }
  if (errno == ENOTDIR) {
    return absl::InvalidArgumentError(
        absl::StrCat("making directory '", path, "': a part of the path is a file"));
  }
  if (errno != ENOENT) return SystemError("making directory", path, errno);
  const std::string above = DirectoryOf(path);
  if (absl::Status made = MakeDirectories(above); !made.ok()) return made;
  if (::mkdir(path.c_str(), kDirectoryMode) != 0 && errno != EEXIST) {
    return SystemError("making directory", path, errno);
  }
  return SyncDirectory(above);
}

int OpenFile(const std::string& path, int flags) {
  int fd = -1;
  do {
    fd = ::open(path.c_str(), flags | O_CLOEXEC, kFileMode);
  } while (fd < 0 && errno == EINTR);
  return fd;
}

// Makes `bytes` durable at `offset`, and closes the file.
absl::Status WriteAll(Descriptor& file, const std::string& path, std::uint64_t offset,
                      std::string_view bytes) {
  const WrittenBytes written = WriteAt(file.get(), offset, bytes);
  if (written.error != 0) {
    const std::string doing =
        absl::StrCat("writing ", bytes.size(), " bytes (", written.count, " written) to");
    return SystemError(doing, path, written.error);
  }
  // Some file systems notice a full disk or quota only here.
  const std::string doing = absl::StrCat("syncing ", bytes.size(), " bytes of");
  if (::fdatasync(file.get()) != 0) return SystemError(doing, path, errno);
  if (file.Close() != 0 && errno != EINTR) return SystemError(doing, path, errno);
  return absl::OkStatus();
}

absl::Status WriteInPlace(const std::string& unfinished, const std::string& path,
                          std::string_view bytes) {
  Descriptor file(OpenFile(unfinished, O_WRONLY | O_CREAT | O_TRUNC));
  if (!file.valid()) {
    return SystemError(absl::StrCat("creating (for ", bytes.size(), " bytes)"), unfinished, errno);
  }
  absl::Status status = WriteAll(file, unfinished, 0, bytes);
  if (status.ok() && std::rename(unfinished.c_str(), path.c_str()) != 0) {
    status = SystemError("renaming to", path, errno);
  }
  if (!status.ok()) {
    ::unlink(unfinished.c_str());
    return status;
  }
  return SyncDirectory(DirectoryOf(path));
}

// As BlobStore::Extend has it. The file's directory is synced if it is new.
absl::Status ExtendInPlace(const std::string& path, std::uint64_t from, std::string_view bytes) {
  Descriptor file(OpenFile(path, O_WRONLY | (from == 0 ? O_CREAT : 0)));
  if (!file.valid()) return SystemError("opening", path, errno);
  struct stat found {};
  if (::fstat(file.get(), &found) != 0) return SystemError("opening", path, errno);
  const auto size = static_cast<std::uint64_t>(found.st_size);
  if (size < from) {
    return absl::FailedPreconditionError(
        absl::StrCat("extending '", path, "': ", size, " bytes: want at least ", from));
  }
  if (size > from && ::ftruncate(file.get(), static_cast<off_t>(from)) != 0) {
    return SystemError(absl::StrCat("cutting to ", from, " bytes:"), path, errno);
  }
  if (absl::Status written = WriteAll(file, path, from, bytes); !written.ok()) return written;
  return from == 0 ? SyncDirectory(DirectoryOf(path)) : absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<FileStore>> FileStore::Open(std::string_view root) {
  if (root.empty()) return absl::InvalidArgumentError("file store: the directory's name is empty");
  if (root.find('\0') != std::string_view::npos) {
    return absl::InvalidArgumentError("file store: the directory's name has a zero byte");
  }
  std::string path(root);
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  if (absl::Status made = MakeDirectories(path); !made.ok()) return made;
  return std::unique_ptr<FileStore>(new FileStore(std::move(path)));
}

absl::Status FileStore::Write(std::string_view name, std::string_view bytes) {
  if (absl::Status valid = ValidateBlobName(name); !valid.ok()) return valid;
  const std::string path = PathOf(name);
  const std::string unfinished = path + kUnfinishedMark;
  // A Remove of a neighbour may take an empty directory away between its making and its use.
  absl::Status status;
  for (int attempt = 0; attempt < kOpenAttemptsMax; ++attempt) {
    if (absl::Status made = MakeDirectories(DirectoryOf(path)); !made.ok()) return made;
    status = WriteInPlace(unfinished, path, bytes);
    if (!absl::IsNotFound(status)) return status;
  }
  return absl::UnavailableError(std::string(status.message()));
}

absl::Status FileStore::Extend(std::string_view name, std::uint64_t from, std::string_view bytes) {
  if (absl::Status valid = ValidateBlobName(name); !valid.ok()) return valid;
  const std::string path = PathOf(name);
  if (from != 0) return ExtendInPlace(path, from, bytes);
  absl::Status status;
  for (int attempt = 0; attempt < kOpenAttemptsMax; ++attempt) {
    if (absl::Status made = MakeDirectories(DirectoryOf(path)); !made.ok()) return made;
    status = ExtendInPlace(path, from, bytes);
    if (!absl::IsNotFound(status)) return status;
  }
  return absl::UnavailableError(std::string(status.message()));
}

absl::StatusOr<std::string> FileStore::Read(std::string_view name) {
  std::string bytes;
  if (absl::Status status = ReadInto(name, bytes); !status.ok()) return status;
  return bytes;
}

absl::Status FileStore::ReadInto(std::string_view name, std::string& bytes) {
  if (absl::Status valid = ValidateBlobName(name); !valid.ok()) return valid;
  const std::string path = PathOf(name);
  // Without O_NONBLOCK a fifo put there by someone would hold us for ever.
  const Descriptor file(OpenFile(path, O_RDONLY | O_NONBLOCK));
  if (!file.valid()) {
    if (errno == ENOTDIR) return absl::NotFoundError(absl::StrCat("no blob '", path, "'"));
    return SystemError("opening", path, errno);
  }
  struct stat found {};
  if (::fstat(file.get(), &found) != 0) return SystemError("opening", path, errno);
  if (!S_ISREG(found.st_mode)) {
    return absl::NotFoundError(absl::StrCat("no blob '", path, "': it is not a regular file"));
  }
  const auto size = static_cast<std::uint64_t>(found.st_size);
  if (size > kBlobBytesMax) {
    return absl::ResourceExhaustedError(
        absl::StrCat("reading '", path, "': ", size, " bytes: want at most ", kBlobBytesMax));
  }
  ResizeAnew(bytes, static_cast<std::size_t>(size));
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t n = ::read(file.get(), bytes.data() + done, bytes.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return SystemError("reading", path, errno);
    if (n == 0) break;  // Cut short since we asked for its size.
    done += static_cast<std::size_t>(n);
  }
  bytes.resize(done);
  return absl::OkStatus();
}

absl::StatusOr<std::vector<std::string>> FileStore::Files(std::string_view prefix) const {
  namespace fs = std::filesystem;
  std::vector<std::string> names;
  std::vector<std::string> directories = {root_};
  while (!directories.empty()) {
    const std::string directory = std::move(directories.back());
    directories.pop_back();
    std::error_code error;
    fs::directory_iterator entry(directory, error);
    for (const fs::directory_iterator end; !error && entry != end; entry.increment(error)) {
      std::string name = entry->path().string().substr(root_ == "/" ? 1 : root_.size() + 1);
      std::error_code ignored;  // An entry removed meanwhile is neither file nor directory.
      if (entry->is_directory(ignored)) {
        const std::string inside = name + '/';
        const std::size_t shared = std::min(inside.size(), prefix.size());
        const bool may_have = inside.compare(0, shared, prefix, 0, shared) == 0;
        if (may_have && !entry->is_symlink(ignored)) {
          directories.push_back(entry->path().string());
        }
      } else if (name.starts_with(prefix) && entry->is_regular_file(ignored)) {
        names.push_back(std::move(name));
      }
    }
    // One that was removed meanwhile had nothing in it.
    const bool is_gone = error == std::errc::no_such_file_or_directory && directory != root_;
    if (error && !is_gone) {
      return absl::UnavailableError(absl::StrCat("listing '", directory, "': ", error.message()));
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

absl::StatusOr<std::vector<std::string>> FileStore::List(std::string_view prefix) {
  LONGTAIL_ASSIGN_OR_RETURN(std::vector<std::string> names, Files(prefix));
  std::erase_if(names, [](const std::string& name) { return !ValidateBlobName(name).ok(); });
  return names;
}

absl::Status FileStore::RemoveUnfinished(std::string_view prefix) {
  LONGTAIL_ASSIGN_OR_RETURN(const std::vector<std::string> names, Files(prefix));
  for (const std::string& name : names) {
    if (!name.ends_with(kUnfinishedMark)) continue;
    if (!ValidateBlobName(std::string_view(name).substr(0, name.size() - 1)).ok()) continue;
    const std::string path = PathOf(name);
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) {
      return SystemError("removing", path, errno);
    }
  }
  return absl::OkStatus();
}

absl::Status FileStore::Remove(std::string_view name) {
  if (absl::Status valid = ValidateBlobName(name); !valid.ok()) return valid;
  const std::string path = PathOf(name);
  if (::unlink(path.c_str()) != 0) {
    if (errno == ENOTDIR || errno == EISDIR) {
      return absl::NotFoundError(absl::StrCat("no blob '", path, "'"));
    }
    return SystemError("removing", path, errno);
  }
  std::string directory = DirectoryOf(path);
  while (directory.size() > root_.size() && ::rmdir(directory.c_str()) == 0) {
    directory = DirectoryOf(directory);
  }
  const absl::Status synced = SyncDirectory(directory);
  // A neighbour's Remove took the directory away: that one syncs what is above.
  return absl::IsNotFound(synced) ? absl::OkStatus() : synced;
}

std::string FileStore::PathOf(std::string_view name) const {
  return absl::StrCat(root_ == "/" ? "" : root_, "/", std::string(name));
}

std::string FileStore::Describe() const {
  return absl::StrCat("file:", root_);
}

}  // namespace longtail
