// Impressions and their clicks, joined to examples: what was shown, and whether it was clicked
// within a window of time.
//
// A state machine without clock or I/O: the same events in the same order give the same examples in
// the same order, wherever it was saved and loaded in between.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "absl/status/statusor.h"
#include "examples/online/event.h"

namespace longtail::examples {

/// What a trainer learns from.
struct Example {
  std::string id;
  std::int64_t at_ms = 0;      ///< Of the impression.
  std::int64_t joined_ms = 0;  ///< When its label was known, in the time of events.
  bool is_click = false;
  std::vector<std::string> features;
  std::int64_t written_ms = 0;  ///< As Event's, of the event that made it one.

  bool operator==(const Example&) const = default;
};

struct LogJoinerOptions {
  /// For so long an impression waits for its click; then it had none. A click that comes before its
  /// impression waits as long.
  std::int64_t window_ms = 600'000;
  /// Impressions, clicks and ids of the past that are remembered at the most, of each so many. When
  /// there are more impressions, the oldest is given up as one without a click.
  std::size_t remembered_max = 1'000'000;
};

struct LogJoinerCounts {
  std::uint64_t impressions = 0;
  std::uint64_t clicks = 0;
  std::uint64_t positives = 0;             ///< Examples with a click.
  std::uint64_t negatives = 0;             ///< Examples without.
  std::uint64_t repeated_impressions = 0;  ///< Of an id that is waiting or was not long ago.
  std::uint64_t repeated_clicks = 0;
  std::uint64_t late_clicks = 0;       ///< Behind the window: the example was there already.
  std::uint64_t unmatched_clicks = 0;  ///< Their impression never came.
  std::uint64_t closed_early = 0;      ///< Negatives, too: there was no room to wait.

  bool operator==(const LogJoinerCounts&) const = default;
};

/// Thread: one at a time.
class LogJoiner {
 public:
  explicit LogJoiner(const LogJoinerOptions& options) : options_(options) {}

  /// Takes the next event, of a time not before that of the last, and appends the examples that it
  /// completes: a click's at once, those without one when their window is over.
  void Add(Event event, std::vector<Example>& examples);

  std::int64_t now_ms() const { return now_ms_; }
  const LogJoinerCounts& counts() const { return counts_; }
  /// Impressions that wait.
  std::size_t waiting() const { return waiting_.size(); }

  /// All that it remembers, as text: a line each.
  std::string Save() const;

  /// Errors: DataLoss naming the line.
  static absl::StatusOr<LogJoiner> Load(const LogJoinerOptions& options, std::string_view text);

 private:
  // By id, and in the order of time.
  template <typename T>
  struct Timed {
    std::map<std::uint64_t, T> by_order;
    std::unordered_map<std::string, std::uint64_t> order_of;

    void Add(std::uint64_t order, const std::string& id, T value) {
      by_order.emplace(order, std::move(value));
      order_of.emplace(id, order);
    }
    T Take(std::unordered_map<std::string, std::uint64_t>::iterator found) {
      auto node = by_order.extract(found->second);
      order_of.erase(found);
      return std::move(node.mapped());
    }
    std::size_t size() const { return by_order.size(); }
  };
  struct Closed {
    std::string id;
    std::int64_t forget_ms = 0;
    bool is_click = false;
  };

  void Advance(std::int64_t at_ms, std::vector<Example>& examples);
  void AddImpression(Event event, std::vector<Example>& examples);
  void AddClick(Event event, std::vector<Example>& examples);
  void Close(Event impression, bool is_click, std::int64_t written_ms,
             std::vector<Example>& examples);

  LogJoinerOptions options_;
  std::int64_t now_ms_ = 0;
  std::uint64_t next_order_ = 0;
  Timed<Event> waiting_;  // Impressions.
  Timed<Event> early_;    // Clicks without an impression so far.
  Timed<Closed> closed_;  // Ids whose example was given out: what is said of them again is known.
  LogJoinerCounts counts_;
};

/// Name and value of each count, in a fixed order: for pages, logs and stored state.
std::vector<std::pair<std::string_view, std::uint64_t*>> NamedCounts(LogJoinerCounts& counts);

}  // namespace longtail::examples
