// A file of every key evicted, one line a key (docs/FORMATS.md), that is written on and on.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "protocol/evicted_keys.h"

namespace longtail {

/// Thread: one calls Append; any may ask for unaudited().
class EvictionAudit {
 public:
  /// Goes on with the file, or begins one.
  ///
  /// Errors: Unavailable, naming the file and the cause.
  static absl::StatusOr<std::unique_ptr<EvictionAudit>> Open(const std::string& path);

  EvictionAudit(const EvictionAudit&) = delete;
  EvictionAudit& operator=(const EvictionAudit&) = delete;
  ~EvictionAudit();

  /// Hands the lines to the system in one write; they are not synced. What cannot be written is
  /// counted and not tried again.
  void Append(const std::vector<EvictedKeys>& evictions);

  /// Keys that were evicted and are not in the file.
  std::uint64_t unaudited() const { return unaudited_.load(std::memory_order_relaxed); }

 private:
  explicit EvictionAudit(int file) : file_(file) {}

  const int file_;
  std::string text_;  // Reused.
  std::atomic<std::uint64_t> unaudited_{0};
};

}  // namespace longtail
