#include "examples/online/log_joiner.h"

#include <algorithm>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace longtail::examples {

std::vector<std::pair<std::string_view, std::uint64_t*>> NamedCounts(LogJoinerCounts& counts) {
  return {{"impressions", &counts.impressions},
          {"clicks", &counts.clicks},
          {"positives", &counts.positives},
          {"negatives", &counts.negatives},
          {"repeated_impressions", &counts.repeated_impressions},
          {"repeated_clicks", &counts.repeated_clicks},
          {"late_clicks", &counts.late_clicks},
          {"unmatched_clicks", &counts.unmatched_clicks},
          {"closed_early", &counts.closed_early}};
}

void LogJoiner::Add(Event event, std::vector<Example>& examples) {
  Advance(event.at_ms, examples);
  switch (event.kind) {
    case EventKind::kImpression:
      ++counts_.impressions;
      AddImpression(std::move(event), examples);
      break;
    case EventKind::kClick:
      ++counts_.clicks;
      AddClick(std::move(event), examples);
      break;
    case EventKind::kTick:
      break;
  }
}

void LogJoiner::Advance(std::int64_t at_ms, std::vector<Example>& examples) {
  now_ms_ = std::max(now_ms_, at_ms);
  const auto is_over = [&](const Event& event) {
    return event.at_ms + options_.window_ms <= now_ms_;
  };
  while (waiting_.size() > 0 && is_over(waiting_.by_order.begin()->second)) {
    const auto first = waiting_.order_of.find(waiting_.by_order.begin()->second.id);
    Event impression = waiting_.Take(first);
    const std::int64_t written_ms = impression.written_ms;
    Close(std::move(impression), false, written_ms, examples);
  }
  while (early_.size() > 0 && is_over(early_.by_order.begin()->second)) {
    early_.Take(early_.order_of.find(early_.by_order.begin()->second.id));
    ++counts_.unmatched_clicks;
  }
  while (closed_.size() > 0 && (closed_.by_order.begin()->second.forget_ms <= now_ms_ ||
                                closed_.size() > options_.remembered_max)) {
    closed_.Take(closed_.order_of.find(closed_.by_order.begin()->second.id));
  }
}

void LogJoiner::AddImpression(Event event, std::vector<Example>& examples) {
  if (waiting_.order_of.contains(event.id) || closed_.order_of.contains(event.id)) {
    ++counts_.repeated_impressions;
    return;
  }
  if (const auto click = early_.order_of.find(event.id); click != early_.order_of.end()) {
    early_.Take(click);
    const std::int64_t written_ms = event.written_ms;
    Close(std::move(event), true, written_ms, examples);
    return;
  }
  if (waiting_.size() >= options_.remembered_max) {
    Event oldest = waiting_.Take(waiting_.order_of.find(waiting_.by_order.begin()->second.id));
    ++counts_.closed_early;
    const std::int64_t written_ms = event.written_ms;
    Close(std::move(oldest), false, written_ms, examples);
  }
  const std::string id = event.id;
  waiting_.Add(next_order_++, id, std::move(event));
}

void LogJoiner::AddClick(Event event, std::vector<Example>& examples) {
  if (const auto shown = waiting_.order_of.find(event.id); shown != waiting_.order_of.end()) {
    Close(waiting_.Take(shown), true, event.written_ms, examples);
    return;
  }
  if (const auto closed = closed_.order_of.find(event.id); closed != closed_.order_of.end()) {
    ++(closed_.by_order.at(closed->second).is_click ? counts_.repeated_clicks
                                                    : counts_.late_clicks);
    return;
  }
  if (early_.order_of.contains(event.id)) {
    ++counts_.repeated_clicks;
    return;
  }
  if (early_.size() >= options_.remembered_max) {
    early_.Take(early_.order_of.find(early_.by_order.begin()->second.id));
    ++counts_.unmatched_clicks;
  }
  const std::string id = event.id;
  early_.Add(next_order_++, id, std::move(event));
}

void LogJoiner::Close(Event impression, bool is_click, std::int64_t written_ms,
                      std::vector<Example>& examples) {
  ++(is_click ? counts_.positives : counts_.negatives);
  closed_.Add(
      next_order_++, impression.id,
      {.id = impression.id, .forget_ms = now_ms_ + options_.window_ms, .is_click = is_click});
  examples.push_back({.id = std::move(impression.id),
                      .at_ms = impression.at_ms,
                      .joined_ms = now_ms_,
                      .is_click = is_click,
                      .features = std::move(impression.features),
                      .written_ms = written_ms});
}

std::string LogJoiner::Save() const {
  std::string text = absl::StrCat("now\t", now_ms_, "\n");
  LogJoinerCounts counts = counts_;
  for (const auto& [name, count] : NamedCounts(counts)) {
    absl::StrAppend(&text, "count\t", std::string(name), "\t", *count, "\n");
  }
  // (In the order of time. When they were written matters to nobody after a restart.)
  for (const auto& [_, event] : waiting_.by_order) {
    absl::StrAppend(&text, "waiting\t", event.id, "\t", EncodeValue(event), "\n");
  }
  for (const auto& [_, event] : early_.by_order) {
    absl::StrAppend(&text, "early\t", event.id, "\t", event.at_ms, "\n");
  }
  for (const auto& [_, closed] : closed_.by_order) {
    absl::StrAppend(&text, "closed\t", closed.id, "\t", closed.forget_ms, "\t",
                    closed.is_click ? "click" : "none", "\n");
  }
  return text;
}

absl::StatusOr<LogJoiner> LogJoiner::Load(const LogJoinerOptions& options, std::string_view text) {
  LogJoiner joiner(options);
  const std::vector<std::string> lines = absl::StrSplit(std::string(text), '\n');
  for (std::size_t i = 0; i + 1 < lines.size(); ++i) {
    const auto damaged = [&] {
      return absl::DataLossError(
          absl::StrCat("state of the joiner, line ", i + 1, ": '", lines[i].substr(0, 80), "'"));
    };
    const std::vector<std::string> words = absl::StrSplit(lines[i], '\t');
    const std::string& kind = words[0];
    if (kind == "now") {
      if (words.size() != 2 || !absl::SimpleAtoi(words[1], &joiner.now_ms_)) return damaged();
    } else if (kind == "count") {
      const auto names = NamedCounts(joiner.counts_);
      const auto found = std::ranges::find_if(
          names, [&](const auto& one) { return words.size() == 3 && one.first == words[1]; });
      if (found == names.end() || !absl::SimpleAtoi(words[2], found->second)) return damaged();
    } else if (kind == "closed") {
      Closed closed;
      if (words.size() != 4 || words[1].empty() || !absl::SimpleAtoi(words[2], &closed.forget_ms) ||
          joiner.closed_.order_of.contains(words[1])) {
        return damaged();
      }
      closed.id = words[1];
      closed.is_click = words[3] == "click";
      joiner.closed_.Add(joiner.next_order_++, words[1], std::move(closed));
    } else if (words.size() >= 3 && (kind == "waiting" || kind == "early")) {
      Timed<Event>& events = kind == "waiting" ? joiner.waiting_ : joiner.early_;
      const std::size_t value = kind.size() + words[1].size() + 2;
      absl::StatusOr<Event> event =
          DecodeEvent(kind == "waiting" ? EventKind::kImpression : EventKind::kClick, words[1],
                      lines[i].substr(value));
      if (!event.ok() || event->id.empty() || events.order_of.contains(event->id)) {
        return damaged();
      }
      events.Add(joiner.next_order_++, words[1], *std::move(event));
    } else {
      return damaged();
    }
  }
  if (lines.size() < 2 || !lines.back().empty()) {
    return absl::DataLossError("state of the joiner: it is cut off");
  }
  return joiner;
}

}  // namespace longtail::examples
