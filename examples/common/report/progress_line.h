// The live status of a run: one line rewritten in place, plain lines, or JSON lines.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>

namespace longtail::examples {

enum class ProgressMode : std::uint8_t {
  kTerminal,  ///< One line, rewritten in place; never wider than the terminal, so it never wraps.
  kPlain,     ///< Full lines, for a file or a pipe.
  kJson,      ///< One JSON object a line, for a program.
};

struct ProgressOptions {
  ProgressMode mode = ProgressMode::kPlain;
  std::size_t width = 80;  ///< Of the terminal, in columns; used by kTerminal alone.
  std::chrono::milliseconds terminal_interval{100};
  std::chrono::milliseconds line_interval{5000};  ///< Of kPlain and kJson.
};

/// The state to show. What is absent is left out (null in JSON).
struct ProgressState {
  std::uint64_t samples_seen = 0;
  std::optional<std::uint64_t> samples_total{};  ///< Of the whole run, if it is known.
  std::optional<double> loss{};
  std::optional<double> auc{};
  std::uint64_t row_count = 0;
  std::uint64_t memory_bytes = 0;
  std::uint32_t in_flight = 0;  ///< Requests sent and not yet answered.
};

/// Writes the status of a run to a stream it does not own.
///
/// Thread: one at a time. The clock is the caller's: every call is told the time.
class ProgressLine {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  /// `out` must outlive this object.
  ProgressLine(std::ostream& out, const ProgressOptions& options, TimePoint start);

  /// Shows the state, unless the last one was shown less than an interval ago.
  ///
  /// Cost: a comparison when it is too early, so it may be called after every batch.
  void Update(const ProgressState& state, TimePoint now);

  /// Writes a line of its own (a result, a warning) and leaves the status below it. In JSON it is
  /// an object with "event": "note".
  void Note(std::string_view text);

  /// Shows the last state whatever the interval, and ends the line.
  void Finish(const ProgressState& state, TimePoint now);

 private:
  void Show(const ProgressState& state, TimePoint now);
  void ShowJson(const ProgressState& state, double seconds);
  void Measure(const ProgressState& state, TimePoint now);
  void Rewrite(const std::string& line);
  [[nodiscard]] std::optional<double> SecondsLeft(const ProgressState& state, double seconds) const;
  [[nodiscard]] std::string LineOf(const ProgressState& state, double seconds,
                                   std::size_t width) const;

  std::ostream& out_;
  ProgressOptions options_;
  TimePoint start_;
  std::optional<TimePoint> shown_at_;
  TimePoint measured_at_;
  std::uint64_t measured_samples_ = 0;
  double samples_per_second_ = 0;  // Smoothed; 0 until measured.
  std::string on_screen_;          // What kTerminal has written on the current line.
};

}  // namespace longtail::examples
