#include "examples/common/report/progress_line.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <ostream>
#include <utility>
#include <vector>

#include "examples/common/report/number_text.h"
#include "examples/common/report/safe_text.h"

namespace longtail::examples {
namespace {

constexpr double kSmoothingSeconds = 5;  // The speed shown is about that of the last few seconds.
constexpr std::string_view kSeparator = " | ";

double SecondsBetween(ProgressLine::TimePoint from, ProgressLine::TimePoint to) {
  return std::chrono::duration<double>(to - from).count();
}

// A part of the line; of a line too long the parts of the highest `rank` go first.
struct Part {
  int rank = 0;
  std::string text{};
};

std::string Joined(const std::vector<Part>& parts) {
  std::string line;
  for (const Part& part : parts) {
    if (!line.empty()) line += kSeparator;
    line += part.text;
  }
  return line;
}

nlohmann::ordered_json JsonOf(const std::optional<double>& value) {
  if (!value) return nullptr;
  return *value;
}

}  // namespace

ProgressLine::ProgressLine(std::ostream& out, const ProgressOptions& options, TimePoint start)
    : out_(out), options_(options), start_(start), measured_at_(start) {}

void ProgressLine::Update(const ProgressState& state, TimePoint now) {
  const auto interval = options_.mode == ProgressMode::kTerminal ? options_.terminal_interval
                                                                 : options_.line_interval;
  if (now - shown_at_.value_or(start_) < interval) return;
  Show(state, now);
}

void ProgressLine::Note(std::string_view text) {
  if (options_.mode == ProgressMode::kJson) {
    const nlohmann::ordered_json note{{"event", "note"}, {"text", SafeText(text)}};
    out_ << note.dump() << "\n" << std::flush;
    return;
  }
  const std::string status = std::exchange(on_screen_, {});
  if (!status.empty()) out_ << "\r" << std::string(status.size(), ' ') << "\r";
  out_ << SafeText(text) << "\n";
  if (!status.empty()) Rewrite(status);
  out_ << std::flush;
}

void ProgressLine::Finish(const ProgressState& state, TimePoint now) {
  Show(state, now);
  if (options_.mode == ProgressMode::kTerminal) out_ << "\n" << std::flush;
  on_screen_.clear();
}

void ProgressLine::Show(const ProgressState& state, TimePoint now) {
  Measure(state, now);
  shown_at_ = now;
  const double seconds = SecondsBetween(start_, now);
  switch (options_.mode) {
    case ProgressMode::kTerminal:
      // The last column stays free: some terminals wrap as soon as it is written.
      Rewrite(LineOf(state, seconds, std::max<std::size_t>(options_.width, 1) - 1));
      break;
    case ProgressMode::kPlain:
      out_ << LineOf(state, seconds, std::string::npos) << "\n";
      break;
    case ProgressMode::kJson:
      ShowJson(state, seconds);
      break;
  }
  out_ << std::flush;
}

void ProgressLine::ShowJson(const ProgressState& state, double seconds) {
  nlohmann::ordered_json json{{"event", "progress"},
                              {"seconds", seconds},
                              {"samples_seen", state.samples_seen},
                              {"samples_total", nullptr},
                              {"samples_per_second", samples_per_second_},
                              {"loss", JsonOf(state.loss)},
                              {"auc", JsonOf(state.auc)},
                              {"row_count", state.row_count},
                              {"memory_bytes", state.memory_bytes},
                              {"in_flight", state.in_flight},
                              {"seconds_left", JsonOf(SecondsLeft(state, seconds))}};
  if (state.samples_total) json["samples_total"] = *state.samples_total;
  out_ << json.dump() << "\n";
}

// Speeds of short and of long intervals weigh by their length: the result does not depend on how
// often the line is rewritten.
void ProgressLine::Measure(const ProgressState& state, TimePoint now) {
  const double elapsed = SecondsBetween(measured_at_, now);
  if (!(elapsed > 0) || state.samples_seen < measured_samples_) return;
  const double speed = static_cast<double>(state.samples_seen - measured_samples_) / elapsed;
  const double keep = shown_at_ ? std::exp(-elapsed / kSmoothingSeconds) : 0;
  samples_per_second_ = keep * samples_per_second_ + (1 - keep) * speed;
  measured_at_ = now;
  measured_samples_ = state.samples_seen;
}

// Spaces over the rest of the old line instead of an escape sequence: every terminal knows them.
void ProgressLine::Rewrite(const std::string& line) {
  const std::size_t old_size = on_screen_.size();
  out_ << "\r" << line;
  if (old_size > line.size()) out_ << std::string(old_size - line.size(), ' ');
  on_screen_ = line;
}

std::optional<double> ProgressLine::SecondsLeft(const ProgressState& state, double seconds) const {
  if (!state.samples_total || state.samples_seen == 0 || !(seconds > 0)) return std::nullopt;
  if (state.samples_seen >= *state.samples_total) return 0;
  const double mean_speed = static_cast<double>(state.samples_seen) / seconds;
  return static_cast<double>(*state.samples_total - state.samples_seen) / mean_speed;
}

std::string ProgressLine::LineOf(const ProgressState& state, double seconds,
                                 std::size_t width) const {
  std::vector<Part> parts;
  if (state.samples_total) {
    parts.push_back({1, PercentText(Ratio(static_cast<double>(state.samples_seen),
                                          static_cast<double>(*state.samples_total)))});
  }
  parts.push_back({4, GroupedText(state.samples_seen) + " samples"});
  parts.push_back({2, CompactText(samples_per_second_) + "/s"});
  if (state.loss) parts.push_back({0, "loss " + FixedText(*state.loss, 4)});
  if (state.auc) parts.push_back({3, "AUC " + FixedText(*state.auc, 4)});
  if (state.row_count > 0) {
    const auto rows = static_cast<double>(state.row_count);
    parts.push_back({5, CompactText(rows) + " rows"});
    parts.push_back({8, FixedText(static_cast<double>(state.memory_bytes) / rows, 0) + " B/row"});
  }
  if (state.memory_bytes > 0) parts.push_back({6, BytesText(state.memory_bytes)});
  parts.push_back({9, std::to_string(state.in_flight) + " in flight"});
  const std::optional<double> left = SecondsLeft(state, seconds);
  if (left) parts.push_back({7, DurationText(*left) + " left"});
  if (!left) parts.push_back({7, DurationText(seconds)});

  std::string line = Joined(parts);
  while (line.size() > width && parts.size() > 1) {
    parts.erase(std::ranges::max_element(parts, {}, &Part::rank));
    line = Joined(parts);
  }
  return line.substr(0, width);
}

}  // namespace longtail::examples
