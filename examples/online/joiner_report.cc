#include "examples/online/joiner_report.h"

#include "absl/strings/str_cat.h"

namespace longtail::examples {

void AddJoinerFigures(const JoinerReport& report, Figures& figures) {
  LogJoinerCounts counts = report.counts;
  for (const auto& [name, count] : NamedCounts(counts)) {
    figures.Counter("longtail_online_joiner_total", "Events and examples of the joiner, by kind.",
                    static_cast<double>(*count), {{"kind", name}});
  }
  figures.Counter("longtail_online_unreadable_events_total", "Entries of logs that are no event.",
                  static_cast<double>(report.unreadable));
  figures.Gauge("longtail_online_waiting_impressions", "Impressions that wait for a click.",
                static_cast<double>(report.waiting));
}

std::string JoinerText(const JoinerReport& report) {
  std::string text;
  LogJoinerCounts counts = report.counts;
  for (const auto& [name, count] : NamedCounts(counts)) {
    absl::StrAppend(&text, std::string(name), " ", *count, "\n");
  }
  absl::StrAppend(&text, "unreadable ", report.unreadable, "\n");
  return text;
}

}  // namespace longtail::examples
