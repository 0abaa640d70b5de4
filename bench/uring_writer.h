// The fastest that a file can be written here: io_uring, past the page cache, many writes in
// flight.
#pragma once

#include <cstddef>
#include <string>

namespace longtail::bench {

/// Writes a new file of `bytes` bytes, from aligned memory that holds no zeros, and syncs it; a
/// multiple of 1 MiB is written. Returns the seconds that took; negative, with a sentence in `why`,
/// where the system has no io_uring or refuses it.
///
/// Source: io_uring(7), io_uring_setup(2), io_uring_enter(2).
double WriteByUring(const std::string& path, std::size_t bytes, std::string& why);

}  // namespace longtail::bench
