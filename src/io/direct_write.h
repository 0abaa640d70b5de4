// Writes to files past the page cache.
//
// A buffered write of many bytes costs a page of the cache for each 4 KiB, and its sync waits until
// the kernel has found them all again: measured on one virtual disk, 0.3 to 0.8 GB/s and ten times
// the CPU of O_DIRECT's 2 GB/s. O_DIRECT wants aligned memory, offsets and sizes, so the bytes go
// through one aligned buffer, and what does not fill a block at either end is written buffered: the
// two never share a page, so neither sees an old copy of the other's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace longtail {

/// What memory, offset and size of a direct write are multiples of, at least, on common disks.
inline constexpr std::size_t kDirectBlockBytes = 4096;

/// Fewer bytes are written buffered: a direct write waits for the disk, then so does the sync.
inline constexpr std::size_t kDirectBytesMin = std::size_t{256} << 10;

struct WrittenBytes {
  std::size_t count = 0;  ///< All of them, if error is 0.
  int error = 0;          ///< An errno.
};

/// Writes `bytes` at `offset` of a file that is open for writing, without O_APPEND. Where the file
/// system takes no direct write (tmpfs of older kernels), buffered. Not durable before an
/// fdatasync.
///
/// Cost: one copy of the bytes; 1 MiB of memory a thread that has written so, kept.
/// Thread: any; one writer a file.
WrittenBytes WriteAt(int file, std::uint64_t offset, std::string_view bytes);

}  // namespace longtail
