// Events out of a file of impressions with labels, as an app would have written them: clicks come
// later than what they are of, by times that a seed decides.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "examples/online/event.h"
#include "examples/online/kafka_log.h"

namespace longtail::examples {

struct ReplayOptions {
  /// Tab-separated with a header, gzip or not: a column `click`, a column with a number that grows
  /// with time, others are features.
  std::string file;
  std::string time_column = "row";
  /// How many events to take at the most; 0: all.
  std::uint64_t impressions_max = 0;
  /// The first impression's time, and milliseconds for one of the time column.
  std::int64_t begin_ms = 1'700'000'000'000;
  double ms_per_unit = 1000;
  /// Clicks come exponentially late, with this mean; so many of a thousand come twice, and
  /// impressions likewise.
  double click_delay_ms = 30'000;
  std::uint32_t repeated_permille = 10;
  std::int64_t tick_ms = 1000;  ///< Of event time.
  std::uint64_t seed = 1;
};

/// All events in the order of their times, ticks among them, the last of them `end_ms` behind the
/// last event.
///
/// Errors: NotFound; InvalidArgument naming file, line and what was wanted.
absl::StatusOr<std::vector<Event>> MakeEvents(const ReplayOptions& options, std::int64_t end_ms);

/// Writes events, `speed` times as fast as they happened; 0: as fast as it can.
absl::Status Replay(const std::vector<Event>& events, double speed, KafkaWriter& writer);

}  // namespace longtail::examples
