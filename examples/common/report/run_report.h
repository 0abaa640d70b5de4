// Everything a training run tells: the one source of its page, its JSON and its table.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "examples/common/metrics/count_bucket.h"
#include "examples/common/metrics/evaluator.h"
#include "examples/common/report/environment.h"
#include "examples/common/report/rank_frequency.h"

namespace longtail::examples {

/// A setting or a fact, in words. Any text: those who print it escape it.
struct NamedValue {
  std::string name{};
  std::string value{};
};

/// A part of the run and how long it took.
struct PhaseTime {
  std::string name{};
  double seconds = 0;
};

/// The state of training at one moment. What was not measured then is absent.
struct CurvePoint {
  std::uint64_t samples_seen = 0;
  double seconds = 0;                     ///< Since training began.
  std::optional<double> train_loss{};     ///< Mean logloss since the point before.
  std::optional<double> streaming_auc{};  ///< See StreamingAuc: approximate.
  std::optional<double> validation_auc{};
  std::optional<double> validation_logloss{};
  double samples_per_second = 0;  ///< Since the point before.
  std::uint64_t row_count = 0;
  std::uint64_t memory_bytes = 0;  ///< Of the tables.
};

/// The final metrics of one part of the data.
struct SplitResult {
  std::string name{};  ///< "train", "validation", "test".
  Evaluation evaluation{};
  double seconds = 0;  ///< What measuring it took.
};

/// The rows of one count bucket.
struct BucketSize {
  std::uint64_t row_count = 0;
  std::uint64_t bytes = 0;
};

/// What the tables' memory holds.
struct MemorySplit {
  std::uint64_t weight_bytes = 0;
  std::uint64_t state_bytes = 0;   ///< The optimizer's.
  std::uint64_t header_bytes = 0;  ///< Key, count and last step of each row.
  std::uint64_t index_bytes = 0;

  [[nodiscard]] std::uint64_t total() const {
    return weight_bytes + state_bytes + header_bytes + index_bytes;
  }
};

/// What a run's workers in this process sent to servers in others and had from them while they
/// trained; zeros if the servers' lanes are in this process.
struct WireTraffic {
  std::uint64_t steps = 0;
  std::uint64_t bytes_sent = 0;
  std::uint64_t bytes_received = 0;
  std::uint64_t key_bytes_sent = 0;        ///< Of those sent: keys and names of lists of them,
  std::uint64_t value_bytes_sent = 0;      ///< and gradients.
  std::uint64_t value_bytes_received = 0;  ///< Of those received: rows.

  [[nodiscard]] std::uint64_t total() const { return bytes_sent + bytes_received; }
};

/// What the row caches of a run's workers in this process did while they trained; zeros if they had
/// none.
struct RowCacheUse {
  std::uint64_t rows_served = 0;
  std::uint64_t rows_missed = 0;   ///< Asked of servers.
  std::uint64_t rows_evicted = 0;  ///< Put out by others.
  std::uint64_t bytes = 0;

  [[nodiscard]] std::uint64_t rows() const { return rows_served + rows_missed; }
};

/// A run. Lists are shown in their order; of the splits the last one is the headline.
struct RunReport {
  std::string title{};
  std::string command_line{};
  std::string started_utc{};  ///< "2026-01-31 17:05:00", as the caller's clock has it.
  std::vector<NamedValue> settings{};
  Environment environment{};
  std::vector<NamedValue> data{};  ///< Describes the data: its name, examples, fields, splits.
  std::vector<CurvePoint> curve{};
  std::vector<SplitResult> splits{};
  std::string field_name{};  ///< The field of Evaluation::by_field.
  std::vector<RowsByCount> rank_frequency{};
  std::array<BucketSize, kCountBucketCount> rows_by_bucket{};  ///< In the order of kCountBuckets.
  MemorySplit memory{};
  /// Pulls for training by how many steps' updates their rows may have lacked when they were used,
  /// 0 first. Empty: nobody counted.
  std::vector<std::uint64_t> pulls_by_staleness{};
  WireTraffic wire{};
  RowCacheUse row_cache{};
  std::string checkpoint_path{};  ///< Empty: none was written.
  std::uint64_t samples_trained = 0;
  double train_seconds = 0;
  double total_seconds = 0;
  std::vector<PhaseTime> phases{};
};

}  // namespace longtail::examples
