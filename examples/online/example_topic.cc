#include "examples/online/example_topic.h"

#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "base/status_macros.h"

namespace longtail::examples {
namespace {

constexpr absl::Duration kReadWait = absl::Milliseconds(20);
constexpr std::size_t kAheadMax = 10'000;  // Examples of a partition that wait for others.

}  // namespace

absl::StatusOr<std::unique_ptr<ExampleTopic>> ExampleTopic::Open(const std::string& brokers,
                                                                 const std::string& topic,
                                                                 absl::Duration timeout,
                                                                 std::ostream& out) {
  LONGTAIL_ASSIGN_OR_RETURN(std::unique_ptr<KafkaReader> reader,
                            KafkaReader::OpenExamples(brokers, topic, timeout));
  return std::unique_ptr<ExampleTopic>(new ExampleTopic(std::move(reader), out));
}

void ExampleTopic::Save(TrainerState& state) const {
  std::string text = absl::StrCat(order_.place().next, "\t", order_.place().digest, "\n");
  for (std::size_t i = 0; i < order_.offsets().size(); ++i) {
    absl::StrAppend(&text, PartitionName(i), "\t", order_.offsets()[i], "\n");
  }
  state["examples"] = text;
}

absl::Status ExampleTopic::Restore(const TrainerState& state, const std::string& of) {
  const auto found = state.find("examples");
  if (found == state.end()) {
    return absl::FailedPreconditionError(absl::StrCat(
        of, " has no place in a topic of examples: it is of another program, or of a trainer ",
        "that joins by itself (without --examples)"));
  }
  const std::vector<std::string> lines = absl::StrSplit(found->second, '\n', absl::SkipEmpty());
  const std::vector<std::string> first =
      absl::StrSplit(lines.empty() ? std::string() : lines[0], '\t');
  ExamplePlace place;
  if (first.size() != 2 || !absl::SimpleAtoi(first[0], &place.next) ||
      !absl::SimpleAtoi(first[1], &place.digest)) {
    return absl::DataLossError(absl::StrCat(of, ": its place in a topic of examples is damaged"));
  }
  std::vector<std::int64_t> offsets(reader_->partitions().size(), 0);
  if (lines.size() != 1 + offsets.size()) {
    return absl::InvalidArgumentError(
        absl::StrCat(of, " is of ", lines.size() - 1, " partitions, and the topic has ",
                     offsets.size(), ": a topic's number of partitions may not change"));
  }
  for (std::size_t i = 0; i < offsets.size(); ++i) {
    const std::vector<std::string> words = absl::StrSplit(lines[1 + i], '\t');
    if (words.size() != 2 || words[0] != PartitionName(i) ||
        !absl::SimpleAtoi(words[1], &offsets[i])) {
      return absl::InvalidArgumentError(
          absl::StrCat(of, " has '", lines[1 + i], "', want ", PartitionName(i)));
    }
  }
  order_ = ExampleOrder(place, std::move(offsets));
  return absl::OkStatus();
}

absl::StatusOr<NextExamples> ExampleTopic::Next() {
  if (!has_started_) LONGTAIL_RETURN_IF_ERROR(reader_->Start(order_.offsets()));
  has_started_ = true;
  NextExamples next;
  if (order_.waiting(order_.WaitsFor()) == 0) LONGTAIL_RETURN_IF_ERROR(Fill());
  const std::size_t partition = order_.WaitsFor();
  absl::StatusOr<std::optional<NumberedExample>> one = order_.Next();
  if (!one.ok()) {
    return absl::Status(one.status().code(),
                        absl::StrCat(PartitionName(partition), ", ", one.status().message()));
  }
  if (!*one) return next;
  if ((*one)->example) {
    next.examples.push_back(*std::move((*one)->example));
  } else {
    next.now_ms = (*one)->now_ms;
  }
  return next;
}

absl::Status ExampleTopic::Fill() {
  const std::size_t wanted = order_.WaitsFor();
  std::vector<LogEntry> entries;
  for (std::size_t i = 0; i < order_.offsets().size(); ++i) {
    if (order_.waiting(i) >= kAheadMax) continue;
    entries.clear();
    LONGTAIL_RETURN_IF_ERROR(
        reader_->Read(i, i == wanted ? kReadWait : absl::ZeroDuration(), entries));
    for (const LogEntry& entry : entries) LONGTAIL_RETURN_IF_ERROR(Put(i, entry));
  }
  if (order_.waiting(wanted) > 0) {
    silence_.End();
  } else {
    silence_.Note(absl::StrCat("example ", order_.place().next, " of ", PartitionName(wanted)),
                  reader_->problem(), absl::Now());
  }
  return absl::OkStatus();
}

// What is no example is somebody else's, and is passed: one that is damaged leaves a gap behind.
absl::Status ExampleTopic::Put(std::size_t partition, const LogEntry& entry) {
  absl::StatusOr<NumberedExample> one = DecodeNumbered(entry.value);
  absl::Status status = one.status();
  if (one.ok()) {
    status = order_.Put(partition, entry.offset, *std::move(one));
    if (status.ok()) return status;
    return {status.code(), absl::StrCat(PartitionName(partition), ", ", status.message())};
  }
  ++unreadable_said_;
  if (unreadable_said_ <= 10 || unreadable_said_ % 1000 == 0) {
    out_ << "unreadable: " << PartitionName(partition) << ", offset " << entry.offset << ": "
         << status.message() << " (" << unreadable_said_ << " so far)" << std::endl;
  }
  return absl::OkStatus();
}

}  // namespace longtail::examples
