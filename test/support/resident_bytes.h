// Memory of a process that a test started.
#pragma once

#include <sys/types.h>
#include <unistd.h>

#include <cstdint>
#include <fstream>
#include <string>

namespace longtail::test {

// The sanitizer keeps freed memory back.
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define LONGTAIL_TEST_IS_ASAN
#endif
#endif
#if defined(LONGTAIL_TEST_IS_ASAN) || defined(__SANITIZE_ADDRESS__)
inline constexpr bool kIsAddressSanitized = true;
#else
inline constexpr bool kIsAddressSanitized = false;
#endif

inline std::uint64_t ResidentBytesOf(pid_t pid) {
  std::uint64_t total = 0;
  std::uint64_t resident = 0;
  std::ifstream("/proc/" + std::to_string(pid) + "/statm") >> total >> resident;
  return resident * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace longtail::test
