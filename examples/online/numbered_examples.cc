#include "examples/online/numbered_examples.h"

#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "examples/online/example_line.h"

namespace longtail::examples {
namespace {

std::string TextOf(const NumberedExample& one) {
  return one.example ? LineOf(*one.example) : absl::StrCat(one.now_ms);
}

NumberedExample Number(ExamplePlace& place, NumberedExample one) {
  one.number = place.next++;
  one.digest = place.digest = DigestAfter(place.digest, TextOf(one));
  return one;
}

}  // namespace

NumberedExample NumberExample(ExamplePlace& place, Example example) {
  NumberedExample one;
  one.example = std::move(example);
  return Number(place, std::move(one));
}

NumberedExample NumberTick(ExamplePlace& place, std::int64_t now_ms) {
  NumberedExample one;
  one.now_ms = now_ms;
  return Number(place, std::move(one));
}

std::string EncodeNumbered(const NumberedExample& one) {
  const std::int64_t written_ms = one.example ? one.example->written_ms : 0;
  return absl::StrCat(one.number, "\t", one.digest, "\t", written_ms, "\t", TextOf(one));
}

absl::StatusOr<NumberedExample> DecodeNumbered(std::string_view value) {
  const std::vector<std::string> words =
      absl::StrSplit(std::string(value), absl::MaxSplits('\t', 3));
  NumberedExample one;
  std::int64_t written_ms = 0;
  if (words.size() != 4 || !absl::SimpleAtoi(words[0], &one.number) ||
      !absl::SimpleAtoi(words[1], &one.digest) || !absl::SimpleAtoi(words[2], &written_ms)) {
    return absl::InvalidArgumentError(
        "no numbered example: want a number, a digest, a time, and an example or another time");
  }
  if (absl::SimpleAtoi(words[3], &one.now_ms)) return one;
  one.now_ms = 0;
  absl::StatusOr<Example> example = ParseExample(words[3]);
  if (!example.ok()) return absl::InvalidArgumentError(example.status().message());
  one.example = *std::move(example);
  one.example->written_ms = written_ms;
  return one;
}

ExampleOrder::ExampleOrder(const ExamplePlace& place, std::vector<std::int64_t> offsets)
    : place_(place), offsets_(std::move(offsets)), queues_(offsets_.size()) {
  const std::uint64_t count = offsets_.size();
  for (std::uint64_t p = 0; p < count; ++p) {
    wanted_.push_back(place.next + (p + count - place.next % count) % count);
  }
}

absl::Status ExampleOrder::Put(std::size_t partition, std::int64_t offset, NumberedExample one) {
  if (one.number % queues_.size() != partition) {
    return absl::InvalidArgumentError(
        absl::StrCat("offset ", offset, ": example ", one.number, " lies in the wrong one of ",
                     queues_.size(), " partitions: a topic's number of partitions may not change"));
  }
  std::uint64_t& wanted = wanted_[partition];
  if (one.number > wanted) {
    return absl::DataLossError(absl::StrCat("offset ", offset, ": example ", one.number,
                                            " comes where ", wanted,
                                            " does: examples are missing"));
  }
  if (one.number < wanted) {
    ++repeated_;
    if (queues_[partition].empty()) offsets_[partition] = offset + 1;
    return absl::OkStatus();
  }
  wanted += queues_.size();
  queues_[partition].push_back({offset, std::move(one)});
  return absl::OkStatus();
}

absl::StatusOr<std::optional<NumberedExample>> ExampleOrder::Next() {
  const std::size_t partition = WaitsFor();
  std::deque<Entry>& queue = queues_[partition];
  if (queue.empty()) return std::nullopt;
  Entry& entry = queue.front();
  const std::uint64_t digest = DigestAfter(place_.digest, TextOf(entry.one));
  if (digest != entry.one.digest) {
    return absl::FailedPreconditionError(absl::StrCat(
        "offset ", entry.offset, ": example ", entry.one.number,
        " does not follow from those before it: it is of a joiner with other options, or that has "
        "read other events"));
  }
  std::optional<NumberedExample> one = std::move(entry.one);
  place_ = {.next = place_.next + 1, .digest = digest};
  offsets_[partition] = entry.offset + 1;
  queue.pop_front();
  return one;
}

}  // namespace longtail::examples
