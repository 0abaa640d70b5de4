// Memory of replies to pulls that came over the wire, used again once they are sent.
//
// A fresh block for each reply would be pages that the system clears first, and the allocator gives
// back after: more work than to fill them.
//
// Threads: not thread-safe; what it gives out may be let go of by any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/sole_holder.h"

namespace longtail::server {

struct ReplyRows {
  std::unique_ptr<float[]> values;  ///< [value_capacity], not cleared.
  std::size_t value_capacity = 0;
  std::vector<std::uint32_t> counts;
  std::string packed_rows;    ///< Of count tables.
  std::string packed_counts;  ///< Of a compact reply, whose rows lie packed where values would.
};

class ReplyPool {
 public:
  /// Floats that are kept, 64 MiB; replies beyond have memory of their own.
  static constexpr std::size_t kValuesKeptMax = std::size_t{16} << 20;

  /// Rows with room for so many values and counts, which nobody else holds.
  std::shared_ptr<ReplyRows> Take(std::size_t values, std::size_t counts) {
    std::shared_ptr<ReplyRows> rows;
    for (const std::shared_ptr<ReplyRows>& kept : kept_) {
      if (!IsSoleHolder(kept)) continue;
      rows = kept;
      if (rows->value_capacity >= values) break;
    }
    const std::size_t had = rows == nullptr ? 0 : rows->value_capacity;
    if (values > had) {
      const bool is_kept = values_kept_ - had + values <= kValuesKeptMax;
      if (!is_kept || rows == nullptr) rows = std::make_shared<ReplyRows>();
      if (is_kept) {
        if (had == 0) kept_.push_back(rows);
        values_kept_ += values - had;
      }
      rows->values.reset(new float[values]);
      rows->value_capacity = values;
    }
    if (rows == nullptr) rows = std::make_shared<ReplyRows>();  // Nothing is asked for.
    if (rows->counts.size() < counts) rows->counts.resize(counts);
    return rows;
  }

 private:
  std::vector<std::shared_ptr<ReplyRows>> kept_;
  std::size_t values_kept_ = 0;
};

}  // namespace longtail::server
