#include "worker/place_rows.h"

#include <cstring>

#include "absl/strings/str_cat.h"

namespace longtail {

absl::Status PlaceRows(const PullReply& reply, const PullRequest& pull) {
  std::size_t value_count = 0;
  std::size_t key_count = 0;
  for (const PullSection& section : pull.sections) {
    value_count += section.keys.size() * section.dim;
    key_count += section.keys.size();
  }
  if (reply.values.size() != value_count ||
      (pull.wants_counts && reply.counts.size() != key_count)) {
    return absl::InvalidArgumentError(
        absl::StrCat("pull reply ", reply.request, ": ", reply.values.size(), " values and ",
                     reply.counts.size(), " counts: want ", value_count, " and ",
                     pull.wants_counts ? key_count : 0));
  }
  if (pull.sink == nullptr || !pull.sink->Enter()) return absl::OkStatus();
  const float* from = reply.values.data();
  const std::uint32_t* count = reply.counts.data();
  for (const PullSection& section : pull.sections) {
    const PullTarget& to = section.target;
    const std::size_t n = section.keys.size();
    std::memcpy(to.rows, from, n * section.dim * sizeof(float));
    from += n * section.dim;
    if (pull.wants_counts) {
      if (to.counts != nullptr) std::memcpy(to.counts, count, n * sizeof(*count));
      count += n;
    }
  }
  pull.sink->Leave();
  return absl::OkStatus();
}

}  // namespace longtail
