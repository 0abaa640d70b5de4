// LONGTAIL_CHECK: a condition that only a mistake of ours can break.
#pragma once

namespace longtail {

/// Prints what broke and where to stderr, then aborts.
[[noreturn]] void CheckFailed(const char* condition, const char* file, int line);

}  // namespace longtail

/// Aborts unless `condition` holds, in every build. Never for bytes of a peer, a file or a user:
/// those get an absl::Status.
#define LONGTAIL_CHECK(condition)                              \
  do {                                                         \
    if (!(condition)) [[unlikely]] {                           \
      ::longtail::CheckFailed(#condition, __FILE__, __LINE__); \
    }                                                          \
  } while (false)
