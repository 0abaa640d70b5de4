// The joiner on logs in librdkafka's own broker of its tests, and what reads its examples.
#include "examples/online/join_run.h"

#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <filesystem>
#include <map>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/clock.h"
#include "base/random.h"
#include "examples/online/event_stream.h"
#include "examples/online/example_topic.h"
#include "examples/online/joined_events.h"
#include "examples/online/joiner_states.h"
#include "server/cluster_fixture.h"
#include "server/scratch_directory.h"

namespace longtail::examples {
namespace {

using test::Must;
using test::Says;
using test::ScratchDirectory;

constexpr std::int64_t kBeginMs = 1'700'000'000'000;
constexpr std::int64_t kEndMs = kBeginMs + 200'000;
constexpr absl::Duration kPatience = absl::Seconds(40);

// A broker whose logs have 200 seconds of events, ticks among them, and some twice.
struct Logs {
  Logs() {
    const auto writer = Must(KafkaWriter::Open(broker->address(), topics, kPatience));
    Rng rng(9);
    for (std::int64_t at = kBeginMs; at < kEndMs; at += 100) {
      if (at % 1000 == 0) Must(writer->Write({.at_ms = at}));
      const std::string id = "i" + std::to_string(at - kBeginMs);
      const Event shown{.kind = EventKind::kImpression,
                        .id = id,
                        .at_ms = at,
                        .features = {"a=" + std::to_string(rng.Below(20))}};
      Must(writer->Write(shown));
      if (rng.Below(10) == 0) Must(writer->Write(shown));
      if (rng.Below(3) == 0) {
        Must(writer->Write({.kind = EventKind::kClick,
                            .id = id,
                            .at_ms = at + static_cast<std::int64_t>(rng.Below(100))}));
      }
    }
    Must(writer->Write({.at_ms = kEndMs}));
    Must(writer->Flush(kPatience));
  }

  JoinRunOptions Options() const {
    return {.brokers = broker->address(),
            .topics = topics,
            .joiner = {.window_ms = 20'000},
            .store = directory.path() + "/joiner",
            .state_every = 500,
            .until_ms = kEndMs};
  }

  // By partition, all that lies in the topic of examples.
  std::vector<std::vector<NumberedExample>> Examples(std::uint64_t count_min) const {
    const auto reader =
        Must(KafkaReader::OpenExamples(broker->address(), topics.examples, kPatience));
    Must(reader->Start(std::vector<std::int64_t>(reader->partitions().size(), 0)));
    std::vector<std::vector<NumberedExample>> all(reader->partitions().size());
    std::uint64_t count = 0;
    const absl::Time until = absl::Now() + kPatience;
    bool has_come = true;
    while ((count < count_min || has_come) && absl::Now() < until) {
      has_come = false;
      for (std::size_t p = 0; p < all.size(); ++p) {
        std::vector<LogEntry> entries;
        Must(reader->Read(p, absl::Milliseconds(200), entries));
        for (const LogEntry& one : entries) {
          all[p].push_back(Must(DecodeNumbered(one.value)));
        }
        count += entries.size();
        has_come |= !entries.empty();
      }
    }
    REQUIRE(count >= count_min);
    return all;
  }

  const ScratchDirectory directory;
  const LogTopics topics{};
  const std::unique_ptr<TrialBroker> broker = Must(TrialBroker::Start(topics, 3));
};

// All that a source gives until it is that late.
std::vector<Example> All(ExampleSource& source, std::int64_t until_ms) {
  std::vector<Example> all;
  const absl::Time deadline = absl::Now() + kPatience;
  std::int64_t now_ms = 0;
  while (now_ms < until_ms && absl::Now() < deadline) {
    NextExamples next = Must(source.Next());
    for (Example& one : next.examples) all.push_back(std::move(one));
    if (next.now_ms) now_ms = *next.now_ms;
  }
  REQUIRE(now_ms >= until_ms);
  return all;
}

// The states of a joiner behind its first `kept`, as if it had been killed before it wrote them.
void RemoveStates(const std::string& store, std::size_t kept) {
  std::vector<CheckpointInfo> states = Must(ListCheckpoints(store));
  std::ranges::sort(states, {}, [](const CheckpointInfo& one) { return one.name.name; });
  REQUIRE(states.size() > kept);
  for (std::size_t i = kept; i < states.size(); ++i) {
    std::filesystem::remove_all(store + "/" + states[i].name.name);
  }
}

TEST_CASE("a joiner that begins from an older state sends the same again, and it counts once",
          "[online][kafka]") {
  const Logs logs;
  std::ostringstream out;
  const JoinRunReport whole = Must(RunJoin(logs.Options(), out));
  CHECK(whole.joiner.counts.impressions > 2000);
  CHECK(whole.joiner.counts.positives > 400);
  const std::uint64_t examples = whole.joiner.counts.positives + whole.joiner.counts.negatives;
  CHECK(whole.sent.next == examples + 201);  // A tick each second.

  // What the joiner in a trainer's process gives, and what the topic does: the same, once.
  const auto within = Must(JoinedEvents::Open(logs.broker->address(), logs.topics,
                                              logs.Options().joiner, kPatience, out));
  const std::vector<Example> want = All(*within, kEndMs);
  CHECK(want.size() == examples);
  const auto topic =
      Must(ExampleTopic::Open(logs.broker->address(), logs.topics.examples, kPatience, out));
  CHECK(All(*topic, kEndMs) == want);
  CHECK(topic->repeated() == 0);

  RemoveStates(logs.Options().store, 3);
  CHECK(out.str().find("Resumed from") == std::string::npos);
  const JoinRunReport again = Must(RunJoin(logs.Options(), out));
  CHECK(out.str().find("Resumed from") != std::string::npos);
  CHECK(again.joiner.counts == whole.joiner.counts);
  CHECK(again.sent == whole.sent);
  std::uint64_t count = 0;
  std::map<std::uint64_t, std::uint64_t> digests;  // By number.
  for (const auto& partition : logs.Examples(whole.sent.next + 1000)) {
    for (const NumberedExample& one : partition) {
      ++count;
      CHECK(digests.emplace(one.number, one.digest).first->second == one.digest);
    }
  }
  CHECK(digests.size() == whole.sent.next);

  const auto twice =
      Must(ExampleTopic::Open(logs.broker->address(), logs.topics.examples, kPatience, out));
  CHECK(All(*twice, kEndMs) == want);
  // And from the middle of it, as a trainer goes on.
  TrainerState state;
  const auto half =
      Must(ExampleTopic::Open(logs.broker->address(), logs.topics.examples, kPatience, out));
  std::vector<Example> got = All(*half, kBeginMs + 90'000);
  half->Save(state);
  const auto rest =
      Must(ExampleTopic::Open(logs.broker->address(), logs.topics.examples, kPatience, out));
  Must(rest->Restore(state, "checkpoint 'c'"));
  for (Example& one : All(*rest, kEndMs)) got.push_back(std::move(one));
  CHECK(got == want);
  CHECK(rest->repeated() + 1000 < count);

  // Places of one kind of source are none for the other, and not for other partitions.
  CHECK(Says(within->Restore(state, "checkpoint 'c'"), "checkpoint 'c' has no joiner"));
  TrainerState of_within;
  within->Save(of_within);
  CHECK(Says(rest->Restore(of_within, "checkpoint 'c'"), "trainer that joins by itself"));
  const auto other = Must(TrialBroker::Start(logs.topics, 2));
  const auto fewer =
      Must(ExampleTopic::Open(other->address(), logs.topics.examples, kPatience, out));
  CHECK(Says(fewer->Restore(state, "checkpoint 'c'"), "is of 3 partitions, and the topic has 2"));
  for (const char* wrong : {"", "1\n", "1\tx\n", "x\t1\n"}) {
    CHECK(absl::IsDataLoss(fewer->Restore({{"examples", wrong}}, "checkpoint 'c'")));
  }
}

TEST_CASE("a joiner begins again between any two events, ticks of one time among them",
          "[online][kafka]") {
  const Logs logs;
  std::ostringstream out;
  JoinRunOptions options = logs.Options();
  options.until_ms = kBeginMs + 1200;  // Behind the second ticks, of which there are six.
  options.state_every = 1;
  const JoinRunReport whole = Must(RunJoin(options, out));
  CHECK(whole.sent.next >= 3);
  const std::size_t states = Must(ListCheckpoints(options.store)).size();
  REQUIRE(states > 20);
  options.state_every = 1000;  // From now on one at the beginning and one at the end.
  for (std::size_t kept = states - 2; kept > states - 16; --kept) {
    CAPTURE(kept);
    RemoveStates(options.store, kept);
    CHECK(Must(RunJoin(options, out)).sent == whole.sent);
  }
}

TEST_CASE("what a joiner is for may change behind an end in good order alone", "[online][kafka]") {
  const Logs logs;
  std::ostringstream out;
  JoinRunOptions first = logs.Options();
  first.until_ms = kBeginMs + 100'000;
  const JoinRunReport half = Must(RunJoin(first, out));
  JoinRunOptions other = logs.Options();
  other.joiner.window_ms = 5'000;
  JoinRunOptions elsewhere = logs.Options();
  elsewhere.topics.examples = "clicks";
  const absl::Status moved = RunJoin(elsewhere, out).status();
  CHECK(absl::IsFailedPrecondition(moved));
  CHECK(Says(moved, "has sent to topic 'examples' of 3 partitions: want it, not 'clicks' of 3"));

  const JoinRunReport whole = Must(RunJoin(other, out));
  CHECK(whole.sent.next > half.sent.next + 900);
  RemoveStates(other.store, Must(ListCheckpoints(other.store)).size() - 1);  // The end's.
  const absl::Status changed = RunJoin(logs.Options(), out).status();
  CHECK(absl::IsFailedPrecondition(changed));
  CHECK(Says(changed,
             "is of a joiner with a window of 5000 ms, 1000000 remembered, not a window "
             "of 20000 ms"));
  // As it was, it ends where it did; and what came of both is one stream.
  CHECK(Must(RunJoin(other, out)).sent == whole.sent);
  const auto topic =
      Must(ExampleTopic::Open(logs.broker->address(), logs.topics.examples, kPatience, out));
  CHECK(All(*topic, kEndMs).size() ==
        whole.joiner.counts.positives + whole.joiner.counts.negatives);
}

TEST_CASE("a joiner whose store another one has taken ends", "[online][kafka]") {
  const Logs logs;
  std::ostringstream out;
  JoinRunOptions options = logs.Options();
  options.until_ms = 0;
  std::atomic<bool> stop = false;
  options.stop = &stop;
  absl::Status ended;
  std::thread first([&] { ended = RunJoin(options, out).status(); });
  const absl::Time until = absl::Now() + kPatience;
  std::size_t states = 0;
  while (states < 4 && absl::Now() < until) {
    absl::SleepFor(absl::Milliseconds(20));
    const auto there = ListCheckpoints(options.store);
    states = there.ok() ? there->size() : 0;
  }
  // If the first one writes while it begins, it ends itself, and is started again.
  std::ostringstream out_of_second;
  auto taken = RunJoin(logs.Options(), out_of_second);
  while (absl::IsFailedPrecondition(taken.status()) && absl::Now() < until) {
    taken = RunJoin(logs.Options(), out_of_second);
  }
  stop = true;
  first.join();
  REQUIRE(states >= 4);
  Must(taken.status());
  CHECK(absl::IsFailedPrecondition(ended));
  CHECK(Says(ended, "another joiner has written 'joiner-"));
  // What both have sent is one stream.
  const auto topic =
      Must(ExampleTopic::Open(logs.broker->address(), logs.topics.examples, kPatience, out));
  CHECK(All(*topic, kEndMs).size() ==
        taken->joiner.counts.positives + taken->joiner.counts.negatives);
}

TEST_CASE("a topic of examples with a gap, and what is no example, is told by name",
          "[online][kafka]") {
  const LogTopics topics;
  const auto broker = Must(TrialBroker::Start(topics, 1));
  const auto writer = Must(TopicWriter::Open(broker->address(), topics.examples, kPatience));
  ExamplePlace place;
  std::vector<std::string> values = {"what is this"};
  for (std::int64_t i = 0; i < 4; ++i) values.push_back(EncodeNumbered(NumberTick(place, 10 + i)));
  for (const std::size_t i : {1U, 0U, 2U, 4U}) Must(writer->Write(0, values[i]));
  Must(writer->Flush(kPatience));
  std::ostringstream out;
  const auto topic = Must(ExampleTopic::Open(broker->address(), topics.examples, kPatience, out));
  absl::Status status;
  const absl::Time until = absl::Now() + kPatience;
  while (status.ok() && absl::Now() < until) status = topic->Next().status();
  CHECK(absl::IsDataLoss(status));
  CHECK(Says(status, "topic 'examples', partition 0, offset 3: example 3 comes where 2 does"));
  CHECK(
      out.str().find("unreadable: topic 'examples', partition 0, offset 1: no numbered example") !=
      std::string::npos);
}

}  // namespace
}  // namespace longtail::examples
