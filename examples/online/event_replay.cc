#include "examples/online/event_replay.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "base/random.h"
#include "base/status_macros.h"
#include "examples/common/data/byte_source.h"
#include "examples/common/data/line_reader.h"

namespace longtail::examples {
namespace {

struct Columns {
  std::vector<std::string> names;
  std::size_t click = 0;
  std::size_t time = 0;
};

absl::StatusOr<Columns> ParseHeader(const ReplayOptions& options, const std::string& line) {
  Columns columns{.names = absl::StrSplit(line, '\t')};
  const auto find = [&](const std::string& name) -> absl::StatusOr<std::size_t> {
    const auto found = std::ranges::find(columns.names, name);
    if (found != columns.names.end()) {
      return static_cast<std::size_t>(found - columns.names.begin());
    }
    return absl::InvalidArgumentError(
        absl::StrCat("'", options.file, "': its first line has no column '", name, "'"));
  };
  LONGTAIL_ASSIGN_OR_RETURN(columns.click, find("click"));
  LONGTAIL_ASSIGN_OR_RETURN(columns.time, find(options.time_column));
  return columns;
}

}  // namespace

absl::StatusOr<std::vector<Event>> MakeEvents(const ReplayOptions& options, std::int64_t end_ms) {
  LONGTAIL_ASSIGN_OR_RETURN(std::unique_ptr<ByteSource> source, OpenFile(options.file));
  LineReader lines(options.file, std::move(source));
  std::string_view line;
  LONGTAIL_ASSIGN_OR_RETURN(bool has_line, lines.Next(line));
  if (!has_line) return absl::InvalidArgumentError(absl::StrCat("'", options.file, "' is empty"));
  LONGTAIL_ASSIGN_OR_RETURN(const Columns columns, ParseHeader(options, std::string(line)));
  std::vector<Event> events;
  Rng rng(options.seed);
  double first = 0;
  std::uint64_t count = 0;
  while (options.impressions_max == 0 || count < options.impressions_max) {
    LONGTAIL_ASSIGN_OR_RETURN(has_line, lines.Next(line));
    if (!has_line) break;
    const std::vector<std::string> words = absl::StrSplit(std::string(line), '\t');
    double time = 0;
    if (words.size() != columns.names.size() || !absl::SimpleAtod(words[columns.time], &time) ||
        (words[columns.click] != "0" && words[columns.click] != "1")) {
      return absl::InvalidArgumentError(
          absl::StrCat("'", options.file, "' line ", lines.line_number(), ": want ",
                       columns.names.size(), " columns, a click of 0 or 1 and a time"));
    }
    if (count == 0) first = time;
    Event shown{.kind = EventKind::kImpression, .id = absl::StrCat("i", count)};
    shown.at_ms = options.begin_ms + std::llround((time - first) * options.ms_per_unit);
    for (std::size_t i = 0; i < words.size(); ++i) {
      if (i == columns.click || i == columns.time) continue;
      shown.features.push_back(absl::StrCat(columns.names[i], "=", words[i]));
    }
    const auto add = [&](Event event) {
      if (rng.Below(1000) < options.repeated_permille) {
        Event again = event;
        again.at_ms += static_cast<std::int64_t>(rng.Below(1000));
        events.push_back(std::move(again));
      }
      events.push_back(std::move(event));
    };
    if (words[columns.click] == "1") {
      const double uniform = (static_cast<double>(rng.Below(1U << 30)) + 0.5) / (1U << 30);
      add({.kind = EventKind::kClick,
           .id = shown.id,
           .at_ms = shown.at_ms + std::llround(-std::log(uniform) * options.click_delay_ms)});
    }
    add(std::move(shown));
    ++count;
  }
  if (events.empty()) {
    return absl::InvalidArgumentError(absl::StrCat("'", options.file, "' has no impressions"));
  }
  const auto by_time = [](const Event& a, const Event& b) { return a.at_ms < b.at_ms; };
  const std::int64_t last = std::ranges::max_element(events, by_time)->at_ms;
  for (std::int64_t at = options.begin_ms; at < last + end_ms; at += options.tick_ms) {
    events.push_back({.at_ms = at});
  }
  events.push_back({.at_ms = last + end_ms});
  std::ranges::stable_sort(events, by_time);
  return events;
}

absl::Status Replay(const std::vector<Event>& events, double speed, KafkaWriter& writer) {
  const absl::Time begin = absl::Now();
  for (const Event& event : events) {
    if (speed > 0) {
      const double late = static_cast<double>(event.at_ms - events.front().at_ms) / speed;
      absl::SleepFor(begin + absl::Milliseconds(late) - absl::Now());
    }
    LONGTAIL_RETURN_IF_ERROR(writer.Write(event));
  }
  return writer.Flush(absl::Minutes(1));
}

}  // namespace longtail::examples
