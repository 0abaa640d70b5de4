// A pull of counts: packed rows come by partition, and become CountRows once all are there. So a
// pull that failed or was given up changes nothing of its caller's.
//
// Threads: not thread-safe; the owner locks, and a PullSink guards the parts while they are
// written.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "longtail/count_rows.h"
#include "longtail/key_batch.h"

namespace longtail {

class CountFetch {
 public:
  /// The keys that it pulls, to be filled before Begin.
  KeyBatch& keys() { return keys_; }

  /// Begins a pull of keys() of a table with so many columns, for `rows`.
  void Begin(std::size_t partitions, std::uint32_t dim, CountRows* rows);

  /// Where the sized rows of a partition's keys go.
  std::string* PartOf(std::size_t partition) { return &parts_[partition]; }

  /// All parts have come: unpacks them into the rows that Begin was given, in the order of the keys
  /// that keys() was filled with.
  ///
  /// Errors: InvalidArgument, naming what a lane sent that is no row; the rows are as they were.
  /// Cost:   one pass over the packed rows; no allocation once warm.
  absl::Status Deliver();

 private:
  KeyBatch keys_;
  std::uint32_t dim_ = 0;
  CountRows* to_ = nullptr;
  std::vector<std::string> parts_;                  // [partitions]
  std::vector<std::span<const std::byte>> packed_;  // [unique_size]
  CountRows rows_;                                  // On its way.
};

}  // namespace longtail
