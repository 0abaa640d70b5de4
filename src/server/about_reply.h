// What a node says of itself.
#pragma once

#include <cstdint>
#include <string>

#include "absl/time/time.h"
#include "base/version.h"
#include "protocol/coordination.h"

namespace longtail::server {

/// The answer to AboutRequest `request` of the node called `name`.
inline AboutReply AboutOf(const std::string& name, std::uint64_t request, absl::Time now) {
  return {.request = request,
          .status = {},
          .name = name,
          .version = ProgramVersion(),
          .time_us = static_cast<std::uint64_t>(absl::ToUnixMicros(now))};
}

}  // namespace longtail::server
