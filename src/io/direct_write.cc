#include "io/direct_write.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>

namespace longtail {
namespace {

// Disks reach their speed from about 1 MiB a request.
constexpr std::size_t kBufferBytes = std::size_t{1} << 20;

struct Free {
  void operator()(char* memory) const { std::free(memory); }
};

// The thread's aligned buffer, or null if there is no memory for it.
char* Buffer() {
  thread_local const std::unique_ptr<char, Free> buffer(
      static_cast<char*>(std::aligned_alloc(kDirectBlockBytes, kBufferBytes)));
  return buffer.get();
}

// Sets O_DIRECT for as long as it lives.
class DirectMode {
 public:
  explicit DirectMode(int file) : file_(file), flags_(::fcntl(file, F_GETFL)) {
    is_on_ = flags_ >= 0 && ::fcntl(file, F_SETFL, flags_ | O_DIRECT) == 0;
  }
  ~DirectMode() {
    if (is_on_) ::fcntl(file_, F_SETFL, flags_);
  }
  DirectMode(const DirectMode&) = delete;
  DirectMode& operator=(const DirectMode&) = delete;

  bool is_on() const { return is_on_; }

 private:
  const int file_;
  const int flags_;
  bool is_on_ = false;
};

WrittenBytes WriteSome(int file, std::uint64_t offset, const char* bytes, std::size_t count) {
  WrittenBytes written;
  while (written.count < count && written.error == 0) {
    const ssize_t n = ::pwrite(file, bytes + written.count, count - written.count,
                               static_cast<off_t>(offset + written.count));
    if (n >= 0) {
      written.count += static_cast<std::size_t>(n);
    } else if (errno != EINTR) {
      written.error = errno;
    }
  }
  return written;
}

// Offset and size are multiples of the block.
WrittenBytes WriteDirect(int file, std::uint64_t offset, std::string_view bytes) {
  WrittenBytes written;
  char* const buffer = Buffer();
  const DirectMode direct(file);
  if (buffer == nullptr || !direct.is_on()) return {.error = EINVAL};
  while (written.count < bytes.size() && written.error == 0) {
    const std::size_t count = std::min(kBufferBytes, bytes.size() - written.count);
    std::memcpy(buffer, bytes.data() + written.count, count);
    const WrittenBytes part = WriteSome(file, offset + written.count, buffer, count);
    written.count += part.count;
    written.error = part.error;
  }
  return written;
}

}  // namespace

WrittenBytes WriteAt(int file, std::uint64_t offset, std::string_view bytes) {
  const std::size_t head = (kDirectBlockBytes - offset % kDirectBlockBytes) % kDirectBlockBytes;
  std::size_t done = 0;
  if (bytes.size() >= kDirectBytesMin + head) {
    const WrittenBytes first = WriteSome(file, offset, bytes.data(), head);
    if (first.error != 0) return first;
    const std::size_t middle = (bytes.size() - head) / kDirectBlockBytes * kDirectBlockBytes;
    const WrittenBytes direct = WriteDirect(file, offset + head, bytes.substr(head, middle));
    done = head + direct.count;
    // EINVAL: no direct writes here, or a disk with larger blocks. The rest goes as it can.
    if (direct.error != 0 && direct.error != EINVAL) return {.count = done, .error = direct.error};
  }
  WrittenBytes rest = WriteSome(file, offset + done, bytes.data() + done, bytes.size() - done);
  rest.count += done;
  return rest;
}

}  // namespace longtail
