// Stands for stateful_set.cc in a build without libcurl.
#include "absl/strings/str_cat.h"
#include "io/stateful_set.h"

namespace longtail {

absl::StatusOr<std::uint32_t> ReadReplicas(const StatefulSet& set, absl::Duration) {
  return absl::UnimplementedError(
      absl::StrCat("StatefulSet '", set.name,
                   "': this Longtail was built without libcurl: build it where that is found "
                   "(Debian: libcurl4-openssl-dev), or name a file"));
}

}  // namespace longtail
