#include "examples/online/event_stream.h"

#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "base/status_macros.h"

namespace longtail::examples {
namespace {

constexpr absl::Duration kReadWait = absl::Milliseconds(20);
constexpr std::size_t kAheadMax = 10'000;  // Events of a partition that wait for others.

}  // namespace

absl::StatusOr<std::unique_ptr<EventStream>> EventStream::Open(const std::string& brokers,
                                                               const LogTopics& topics,
                                                               absl::Duration timeout,
                                                               std::ostream& out) {
  LONGTAIL_ASSIGN_OR_RETURN(std::unique_ptr<KafkaReader> reader,
                            KafkaReader::Open(brokers, topics, timeout));
  return std::unique_ptr<EventStream>(new EventStream(std::move(reader), out));
}

absl::Status EventStream::Restore(std::string_view text, const std::string& of) {
  const std::vector<std::string> lines = absl::StrSplit(std::string(text), '\n', absl::SkipEmpty());
  if (lines.empty() || !absl::SimpleAtoi(lines[0], &unreadable_before_)) {
    return absl::InvalidArgumentError(absl::StrCat(of, " has no places in logs"));
  }
  if (lines.size() != 1 + begin_.size()) {
    return absl::InvalidArgumentError(
        absl::StrCat(of, " is of ", lines.size() - 1, " partitions, and the topics have ",
                     begin_.size(), ": a log's number of partitions may not change"));
  }
  for (std::size_t i = 0; i < begin_.size(); ++i) {
    const std::vector<std::string> words = absl::StrSplit(lines[1 + i], '\t');
    if (words.size() != 3 || words[0] != PartitionName(i) ||
        !absl::SimpleAtoi(words[1], &begin_[i].next) ||
        !absl::SimpleAtoi(words[2], &begin_[i].at_ms)) {
      return absl::InvalidArgumentError(
          absl::StrCat(of, " has '", lines[1 + i], "', want ", PartitionName(i)));
    }
  }
  return absl::OkStatus();
}

absl::Status EventStream::Start() {
  std::vector<std::int64_t> offsets;
  for (const PartitionPosition& one : begin_) offsets.push_back(one.next);
  LONGTAIL_RETURN_IF_ERROR(reader_->Start(offsets));
  merge_.emplace(begin_);
  return absl::OkStatus();
}

absl::StatusOr<std::optional<Event>> EventStream::Next() {
  if (!merge_) LONGTAIL_RETURN_IF_ERROR(Start());
  std::optional<Event> event = merge_->Next();
  if (event) return event;
  LONGTAIL_RETURN_IF_ERROR(Fill());
  return merge_->Next();
}

// Reads of the partitions that the next event waits for.
absl::Status EventStream::Fill() {
  std::vector<LogEntry> entries;
  bool has_come = false;
  for (std::size_t i = 0; i < begin_.size(); ++i) {
    if (merge_->waiting(i) >= kAheadMax) continue;
    entries.clear();
    const bool is_wanted = merge_->waiting(i) == 0;
    LONGTAIL_RETURN_IF_ERROR(
        reader_->Read(i, is_wanted ? kReadWait : absl::ZeroDuration(), entries));
    for (LogEntry& entry : entries) {
      absl::StatusOr<Event> event =
          DecodeEvent(reader_->partitions()[i].kind, entry.key, entry.value);
      if (event.ok()) {
        event->written_ms = entry.written_ms;
        merge_->Put(i, entry.offset, *std::move(event));
        has_come |= is_wanted;
        continue;
      }
      ++unreadable_said_;
      if (unreadable_said_ <= 10 || unreadable_said_ % 1000 == 0) {
        out_ << "unreadable: " << PartitionName(i) << ", offset " << entry.offset << ": "
             << event.status().message() << " (" << unreadable_said_ << " so far)" << std::endl;
      }
      merge_->Put(i, entry.offset, std::nullopt);
    }
  }
  if (has_come) {
    silence_.End();
  } else {
    silence_.Note(absl::StrCat("an event of ", PartitionName(merge_->WaitsFor().value_or(0))),
                  reader_->problem(), absl::Now());
  }
  return absl::OkStatus();
}

std::string EventStream::Save() const {
  std::string text = absl::StrCat(unreadable(), "\n");
  const std::vector<PartitionPosition>& positions = merge_ ? merge_->positions() : begin_;
  for (std::size_t i = 0; i < positions.size(); ++i) {
    absl::StrAppend(&text, PartitionName(i), "\t", positions[i].next, "\t", positions[i].at_ms,
                    "\n");
  }
  return text;
}

}  // namespace longtail::examples
