#include "worker/count_fetch.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/count_row.h"

namespace longtail {

void CountFetch::Begin(std::size_t partitions, std::uint32_t dim, CountRows* rows) {
  dim_ = dim;
  to_ = rows;
  parts_.resize(partitions);
  for (std::string& part : parts_) part.clear();
}

absl::Status CountFetch::Deliver() {
  const auto refuse = [&](Key key, const char* wrong) {
    return absl::InvalidArgumentError(
        absl::StrCat("row of counts of key ", key, " that a lane sent: ", wrong));
  };
  // Keys are grouped by partition, so their rows follow one another as the parts do.
  const std::span<const Key> keys = keys_.keys();
  packed_.clear();
  for (const std::string& part : parts_) {
    for (std::span<const std::byte> left = AsBytes(part); !left.empty();) {
      std::span<const std::byte> row;
      if (!TakeSizedRow(left, row)) return refuse(0, "has a size that is none");
      packed_.push_back(row);
    }
  }
  if (packed_.size() != keys.size()) {
    return absl::InvalidArgumentError(
        absl::StrCat(packed_.size(), " rows of counts for ", keys.size(), " keys: want as many"));
  }
  rows_.clear();
  rows_.ends.reserve(keys_.inverse().size());
  for (const std::uint32_t unique : keys_.inverse()) {
    const char* const wrong =
        VisitCountRow(packed_[unique], dim_, [&](std::uint32_t column, std::int64_t count) {
          rows_.columns.push_back(column);
          rows_.counts.push_back(count);
        });
    if (wrong != nullptr) return refuse(keys[unique], wrong);
    rows_.ends.push_back(rows_.columns.size());
  }
  std::swap(rows_, *to_);
  return absl::OkStatus();
}

}  // namespace longtail
