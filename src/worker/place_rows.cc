#include "worker/place_rows.h"

#include <cstring>
#include <span>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/count_row.h"
#include "base/status_macros.h"
#include "protocol/expand.h"
#include "protocol/value_codec.h"

namespace longtail {

namespace {

// Cuts the packed rows of a reply into those of each section that asks for counts.
absl::Status CutPacked(const PullReply& reply, const PullRequest& pull,
                       std::vector<std::span<const std::byte>>& sections) {
  std::span<const std::byte> left = reply.packed;
  for (const PullSection& section : pull.sections) {
    if (section.kind != TableKind::kCounts) continue;
    const std::span<const std::byte> begin = left;
    for (std::size_t i = 0; i < section.keys.size(); ++i) {
      std::span<const std::byte> row;
      if (!TakeSizedRow(left, row)) {
        return absl::InvalidArgumentError(
            absl::StrCat("pull reply ", reply.request, ": row ", i, " of ", section.keys.size(),
                         " of counts is cut short, or has a size that is none"));
      }
    }
    sections.push_back(begin.first(begin.size() - left.size()));
  }
  if (left.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("pull reply ", reply.request, ": ", left.size(),
                                                 " bytes after the last row of counts"));
}

}  // namespace

absl::Status PlaceRows(const PullReply& reply, const PullRequest& pull) {
  std::size_t value_count = 0;
  std::size_t key_count = 0;
  std::vector<std::span<const std::byte>> packed;
  LONGTAIL_RETURN_IF_ERROR(CutPacked(reply, pull, packed));
  for (const PullSection& section : pull.sections) {
    if (section.kind == TableKind::kCounts) continue;
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
  auto next_packed = packed.begin();
  for (const PullSection& section : pull.sections) {
    const PullTarget& to = section.target;
    if (section.kind == TableKind::kCounts) {
      to.packed->assign(AsText(*next_packed++));
      continue;
    }
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
