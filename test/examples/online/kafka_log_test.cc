// Logs in librdkafka's own broker of its tests: real clients over real sockets, but no Kafka.
#include "examples/online/kafka_log.h"

#include <catch2/catch.hpp>
#include <map>
#include <string>

namespace longtail::examples {
namespace {

TEST_CASE("what is written to logs is read from any offset, once and in order", "[online][kafka]") {
  const LogTopics topics;
  const auto broker = TrialBroker::Start(topics, 3);
  REQUIRE(broker.ok());
  const auto writer = KafkaWriter::Open((*broker)->address(), topics, absl::Seconds(20));
  REQUIRE(writer.ok());
  std::map<std::string, std::size_t> partition_of;
  for (int i = 0; i < 3000; ++i) {
    const Event event{.kind = i % 3 == 0 ? EventKind::kClick : EventKind::kImpression,
                      .id = "i" + std::to_string(i),
                      .at_ms = i,
                      .features = {"f"}};
    REQUIRE((*writer)->Write(event).ok());
  }
  REQUIRE((*writer)->Write({.at_ms = 5000}).ok());
  REQUIRE((*writer)->Flush(absl::Seconds(20)).ok());

  std::vector<std::int64_t> offsets(6, 0);
  for (const bool is_second : {false, true}) {
    const auto reader = KafkaReader::Open((*broker)->address(), topics, absl::Seconds(20));
    REQUIRE(reader.ok());
    REQUIRE((*reader)->partitions().size() == 6);
    CHECK((*reader)->partitions()[4].topic == "clicks");
    CHECK((*reader)->partitions()[4].number == 1);
    REQUIRE((*reader)->Start(offsets).ok());
    std::size_t count = 0;
    for (std::size_t p = 0; p < 6; ++p) {
      std::vector<LogEntry> entries;
      const absl::Time until = absl::Now() + absl::Seconds(20);
      while ((entries.empty() || !entries.back().key.empty()) && absl::Now() < until) {
        REQUIRE((*reader)->Read(p, absl::Milliseconds(100), entries).ok());
      }
      REQUIRE(!entries.empty());
      CHECK(entries.back().value == "5000");  // The tick.
      std::int64_t last = -1;
      for (std::size_t i = 0; i + 1 < entries.size(); ++i) {
        CHECK(entries[i].offset == offsets[p] + static_cast<std::int64_t>(i));
        CHECK(entries[i].written_ms > 0);
        const auto event =
            DecodeEvent((*reader)->partitions()[p].kind, entries[i].key, entries[i].value);
        REQUIRE(event.ok());
        CHECK(event->at_ms > last);
        last = event->at_ms;
      }
      count += entries.size() - 1;
      if (!is_second) {  // From the middle on, the next time.
        offsets[p] = entries[entries.size() / 2].offset;
        count -= entries.size() - 1 - entries.size() / 2;
      }
    }
    if (is_second) CHECK(count > 1400);
  }
}

TEST_CASE("a topic is written by partition and in order, and what is not written is said",
          "[online][kafka]") {
  auto broker = TrialBroker::Start({}, 2);
  REQUIRE(broker.ok());
  const auto writer = TopicWriter::Open((*broker)->address(), "examples", absl::Seconds(20));
  REQUIRE(writer.ok());
  REQUIRE((*writer)->partition_count() == 2);
  for (int i = 0; i < 500; ++i) REQUIRE((*writer)->Write(i % 2, std::to_string(i)).ok());
  REQUIRE((*writer)->Flush(absl::Seconds(20)).ok());
  const auto reader =
      KafkaReader::OpenExamples((*broker)->address(), "examples", absl::Seconds(20));
  REQUIRE(reader.ok());
  REQUIRE((*reader)->partitions().size() == 2);
  CHECK(NameOf((*reader)->partitions()[1]) == "topic 'examples', partition 1");
  REQUIRE((*reader)->Start({0, 0}).ok());
  for (std::size_t p = 0; p < 2; ++p) {
    std::vector<LogEntry> entries;
    const absl::Time until = absl::Now() + absl::Seconds(20);
    while (entries.size() < 250 && absl::Now() < until) {
      REQUIRE((*reader)->Read(p, absl::Milliseconds(100), entries).ok());
    }
    REQUIRE(entries.size() == 250);
    for (std::size_t i = 0; i < 250; ++i) CHECK(entries[i].value == std::to_string(2 * i + p));
  }

  const absl::Status large = (*writer)->Write(0, std::string(2'000'000, 'x'));
  CAPTURE(large.ToString());
  CHECK(absl::IsUnavailable(large));
  CHECK(large.message().find("topic 'examples'") != std::string::npos);
  broker->reset();
  REQUIRE((*writer)->Write(1, "nobody takes it").ok());
  const absl::Status left = (*writer)->Flush(absl::Milliseconds(300));
  CAPTURE(left.ToString());
  CHECK(absl::IsDeadlineExceeded(left));
  CHECK(left.message().find("1 messages are not written after 300ms") != std::string::npos);
}

TEST_CASE("what is wrong with logs is said, in time", "[online][kafka]") {
  const absl::Time begin = absl::Now();
  const auto nobody = KafkaReader::Open("127.0.0.1:1", {}, absl::Seconds(1)).status();
  CAPTURE(nobody.ToString());
  CHECK(absl::IsUnavailable(nobody));
  CHECK(nobody.message().find("kafka at '127.0.0.1:1': ") != std::string::npos);
  CHECK(absl::Now() - begin < absl::Seconds(10));
  const auto broker = TrialBroker::Start({}, 1);
  REQUIRE(broker.ok());
  const auto reader = KafkaReader::Open((*broker)->address(), {}, absl::Seconds(10));
  REQUIRE(reader.ok());
  CHECK(absl::IsInvalidArgument((*reader)->Start({0})));
  // An offset that the log does not have.
  REQUIRE((*reader)->Start({100, 0}).ok());
  std::vector<LogEntry> entries;
  absl::Status lost;
  for (int i = 0; i < 600 && lost.ok(); ++i) {  // A starved machine takes some seconds.
    lost = (*reader)->Read(0, absl::Milliseconds(100), entries);
  }
  CAPTURE(lost.ToString());
  CHECK(absl::IsDataLoss(lost));
  CHECK(lost.message().find("topic 'impressions', partition 0: it has no offset 100") !=
        std::string::npos);
}

}  // namespace
}  // namespace longtail::examples
