#include "worker/place_rows.h"

#include <cstring>
#include <vector>

#include "absl/strings/str_cat.h"
#include "protocol/expand.h"
#include "protocol/value_codec.h"

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

namespace {

// Writes to the targets, which are open.
absl::Status PlaceOpen(const CompactPullReply& reply, const PullRequest& pull) {
  std::span<const std::byte> rows = reply.rows;
  std::span<const std::byte> counts = reply.counts;
  std::vector<std::uint32_t> unused;
  for (const PullSection& section : pull.sections) {
    const std::size_t n = section.keys.size();
    const std::size_t size = n * PackedRowBytes(reply.values, section.dim);
    if (!UnpackRows(reply.values, section.dim, rows.first(size), section.target.rows)) {
      return absl::InvalidArgumentError(
          absl::StrCat("pull reply ", reply.request, ": the scale of a row is none"));
    }
    rows = rows.subspan(size);
    if (!pull.wants_counts) continue;
    std::span<std::uint32_t> to(section.target.counts, n);
    if (section.target.counts == nullptr) {
      unused.resize(n);
      to = unused;
    }
    if (!TakeCounts(counts, to)) {
      return absl::InvalidArgumentError(
          absl::StrCat("pull reply ", reply.request, ": a count is cut short or too large"));
    }
  }
  if (!counts.empty()) {
    return absl::InvalidArgumentError(absl::StrCat("pull reply ", reply.request, ": ",
                                                   counts.size(), " bytes after the last count"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status PlaceRows(const CompactPullReply& reply, const PullRequest& pull) {
  if (reply.values != pull.compact) {
    return absl::InvalidArgumentError(absl::StrCat(
        "pull reply ", reply.request, ": rows in format ", static_cast<int>(reply.values),
        ": want ", static_cast<int>(pull.compact.value_or(WireValues::kFloat32))));
  }
  std::size_t row_bytes = 0;
  for (const PullSection& section : pull.sections) {
    row_bytes += section.keys.size() * PackedRowBytes(reply.values, section.dim);
  }
  if (reply.rows.size() != row_bytes) {
    return absl::InvalidArgumentError(absl::StrCat(
        "pull reply ", reply.request, ": ", reply.rows.size(), " bytes of rows: want ", row_bytes));
  }
  if (pull.sink == nullptr || !pull.sink->Enter()) return absl::OkStatus();
  absl::Status placed = PlaceOpen(reply, pull);
  pull.sink->Leave();
  return placed;
}

}  // namespace longtail
