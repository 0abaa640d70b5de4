// Files written past the page cache have the bytes that plain writes would have given them.
#include "io/direct_write.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>

#include "base/random.h"

namespace longtail {
namespace {

namespace fs = std::filesystem;

// An open file of its own, gone when the test ends.
class File {
 public:
  explicit File(const fs::path& directory) {
    path_ = (directory / "longtail-direct-write-XXXXXX").string();
    fd_ = ::mkostemp(path_.data(), O_CLOEXEC);
  }
  ~File() {
    ::close(fd_);
    ::unlink(path_.c_str());
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  int fd() const { return fd_; }
  std::string Contents() const {
    std::string bytes(fs::file_size(path_), '\0');
    const ssize_t n = ::pread(fd_, bytes.data(), bytes.size(), 0);
    bytes.resize(n < 0 ? 0 : static_cast<std::size_t>(n));
    return bytes;
  }

 private:
  std::string path_;
  int fd_ = -1;
};

std::string Noise(Rng& gen, std::size_t size) {
  std::string bytes(size, '\0');
  for (std::size_t at = 0; at < size; at += 61) bytes[at] = static_cast<char>(gen.Below(256));
  return bytes;
}

TEST_CASE("bytes written past the page cache are those of a plain write, wherever they begin",
          "[io][direct_write]") {
  for (const fs::path& directory : {fs::temp_directory_path(), fs::path("/dev/shm")}) {
    if (!fs::exists(directory)) continue;
    CAPTURE(directory);
    Rng gen(5);
    const File file(directory);
    REQUIRE(file.fd() >= 0);
    std::string want;
    for (int step = 0; step < 60; ++step) {
      CAPTURE(step);
      // Over what is there, behind it, at a block's edge or not; small, large, and about where a
      // write begins to be direct.
      std::uint64_t offset = gen.Below(want.size() + 1);
      if (gen.Below(2) == 0) offset = want.size();
      if (gen.Below(3) == 0) offset -= offset % kDirectBlockBytes;
      std::size_t size = gen.Below(std::uint64_t{3} << 20);
      if (gen.Below(3) == 0) size = kDirectBytesMin - 2 + gen.Below(kDirectBlockBytes + 4);
      if (gen.Below(3) == 0) size = gen.Below(100);
      const std::string bytes = Noise(gen, size);
      const WrittenBytes written = WriteAt(file.fd(), offset, bytes);
      REQUIRE(written.error == 0);
      REQUIRE(written.count == size);
      want.resize(std::max<std::size_t>(want.size(), offset + size));
      want.replace(offset, size, bytes);
      REQUIRE((file.Contents() == want));
      if (want.size() > (std::size_t{12} << 20)) {
        want.resize(gen.Below(want.size()));
        REQUIRE(::ftruncate(file.fd(), static_cast<off_t>(want.size())) == 0);
      }
    }
    CHECK((::fcntl(file.fd(), F_GETFL) & O_DIRECT) == 0);
  }
}

TEST_CASE("a file that takes no byte says why, and how many it took", "[io][direct_write]") {
  const std::string bytes(kDirectBytesMin * 2, 'x');
  const WrittenBytes nowhere = WriteAt(-1, 0, bytes);
  CHECK(nowhere.error == EBADF);
  CHECK(nowhere.count == 0);
  const int full = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
  if (full < 0) return;
  const WrittenBytes refused = WriteAt(full, 1, bytes);
  ::close(full);
  CHECK(refused.error == ENOSPC);
  CHECK(refused.count == 0);
}

}  // namespace
}  // namespace longtail
