#include "bench/uring_writer.h"

#include <fcntl.h>
#include <linux/io_uring.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>

#include "bench/figures.h"

namespace longtail::bench {
namespace {

constexpr std::size_t kBlock = std::size_t{1} << 20;
constexpr unsigned kInFlight = 8;
constexpr std::size_t kAlignment = 4096;

struct Mapping {
  Mapping(std::size_t bytes, int ring, off_t offset)
      : size(bytes),
        memory(::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring,
                      offset)) {}
  ~Mapping() {
    if (is_valid()) ::munmap(memory, size);
  }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;

  bool is_valid() const { return memory != MAP_FAILED; }
  template <typename T>
  T* At(std::uint32_t offset) const {
    return reinterpret_cast<T*>(static_cast<char*>(memory) + offset);
  }

  const std::size_t size;
  void* const memory;
};

struct Closed {
  ~Closed() {
    if (fd >= 0) ::close(fd);
  }
  const int fd;
};

bool Refused(const char* doing, std::string& why) {
  why = std::string(doing) + ": " + std::strerror(errno);
  return false;
}

// All blocks, as many in flight as there may be; false if the system refuses one.
bool WriteBlocks(int ring, const io_uring_params& parameters, int file, const char* memory,
                 std::size_t blocks, std::string& why) {
  const Mapping submissions(parameters.sq_off.array + parameters.sq_entries * sizeof(std::uint32_t),
                            ring, IORING_OFF_SQ_RING);
  const Mapping completions(parameters.cq_off.cqes + parameters.cq_entries * sizeof(io_uring_cqe),
                            ring, IORING_OFF_CQ_RING);
  const Mapping entries(parameters.sq_entries * sizeof(io_uring_sqe), ring, IORING_OFF_SQES);
  if (!submissions.is_valid() || !completions.is_valid() || !entries.is_valid()) {
    return Refused("mapping the ring", why);
  }
  std::atomic_ref tail(*submissions.At<std::uint32_t>(parameters.sq_off.tail));
  const std::uint32_t mask = *submissions.At<std::uint32_t>(parameters.sq_off.ring_mask);
  std::atomic_ref done_head(*completions.At<std::uint32_t>(parameters.cq_off.head));
  std::atomic_ref done_tail(*completions.At<std::uint32_t>(parameters.cq_off.tail));
  const std::uint32_t done_mask = *completions.At<std::uint32_t>(parameters.cq_off.ring_mask);

  std::size_t given = 0;
  std::size_t done = 0;
  while (done < blocks) {
    unsigned count = 0;
    for (; given < blocks && given - done < kInFlight; ++given, ++count) {
      const std::uint32_t at = tail.load(std::memory_order_relaxed);
      io_uring_sqe& entry = entries.At<io_uring_sqe>(0)[at & mask];
      entry = {};
      entry.opcode = IORING_OP_WRITE;
      entry.fd = file;
      entry.addr = reinterpret_cast<std::uint64_t>(memory + given % kInFlight * kBlock);
      entry.len = kBlock;
      entry.off = given * kBlock;
      submissions.At<std::uint32_t>(parameters.sq_off.array)[at & mask] = at & mask;
      tail.store(at + 1, std::memory_order_release);
    }
    if (::syscall(SYS_io_uring_enter, ring, count, 1, IORING_ENTER_GETEVENTS, nullptr, 0) < 0) {
      return Refused("io_uring_enter", why);
    }
    std::uint32_t head = done_head.load(std::memory_order_relaxed);
    for (; head != done_tail.load(std::memory_order_acquire); ++head, ++done) {
      const int result = completions.At<io_uring_cqe>(parameters.cq_off.cqes)[head & done_mask].res;
      if (result == static_cast<int>(kBlock)) continue;
      errno = result < 0 ? -result : EIO;
      return Refused("a write by io_uring", why);
    }
    done_head.store(head, std::memory_order_release);
  }
  return true;
}

}  // namespace

double WriteByUring(const std::string& path, std::size_t bytes, std::string& why) {
  io_uring_params parameters{};
  const Closed ring{static_cast<int>(::syscall(SYS_io_uring_setup, kInFlight, &parameters))};
  if (ring.fd < 0) return Refused("io_uring_setup", why), -1;
  const std::unique_ptr<char, void (*)(void*)> memory(
      static_cast<char*>(std::aligned_alloc(kAlignment, kInFlight * kBlock)), &std::free);
  std::memset(memory.get(), 0x5a, kInFlight * kBlock);
  const double begin = Seconds();
  const Closed file{::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_DIRECT, 0600)};
  if (file.fd < 0) return Refused("opening with O_DIRECT", why), -1;
  if (!WriteBlocks(ring.fd, parameters, file.fd, memory.get(), bytes / kBlock, why)) return -1;
  if (::fdatasync(file.fd) != 0) return Refused("syncing", why), -1;
  return Seconds() - begin;
}

}  // namespace longtail::bench
