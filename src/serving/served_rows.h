// Which rows of a table a serving file has.
#pragma once

#include <cstdint>
#include <optional>

#include "longtail/table_spec.h"
#include "sparse/backoff_keys.h"

namespace longtail::serving {

/// All but those that have a count and no weights, where a table shares rows below a count: who
/// looks them up is given the row of the key's group, as for a key that was never seen.
class ServedRows {
 public:
  explicit ServedRows(const TableSpec& spec) : below_(spec.tail.below) {
    if (spec.tail.below > 1 && spec.tail.format.weights == WeightFormat::kShared) {
      groups_.emplace(spec);
    }
  }

  /// `hash` is Mix64 of the row's key, `count` its training count.
  bool Has(std::uint64_t hash, std::uint32_t count) const {
    return !groups_ || count >= below_ || groups_->IsOne(hash);
  }

  /// The groups' keys, if the table shares rows.
  const std::optional<sparse::BackoffKeys>& groups() const { return groups_; }

 private:
  std::uint32_t below_;
  std::optional<sparse::BackoffKeys> groups_;
};

}  // namespace longtail::serving
