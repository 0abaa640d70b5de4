// Times as manifests, files of statistics and people have them: RFC 3339, UTC, microseconds.
#pragma once

#include <string>

#include "absl/time/time.h"

namespace longtail {

/// Texts of two times are in the order of the times.
inline std::string UtcText(absl::Time time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E6SZ", time, absl::UTCTimeZone());
}

}  // namespace longtail
