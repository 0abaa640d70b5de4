// A lane's log: what was written whole comes back; a torn end is cut off, damage is refused.
#include "protocol/lane_log.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "golden/hex.h"
#include "protocol/checksum.h"

namespace longtail {
namespace {

constexpr LaneLogHeader kHeader{.lane = 2, .cluster = 77, .first = 5};

Message Say(std::uint64_t number) {
  return CloseSession{number, SessionId{number + 100}};
}

// Some are of one time.
std::uint64_t TimeOf(std::uint64_t number) {
  return 1'800'000'000'000'000 + number / 2;
}

// Records 5 to 5 + writes - 1, each written by itself, then `together` ones in one write.
std::string Segment(std::uint64_t writes, std::uint64_t together) {
  std::string frame;
  std::string segment;
  AppendLaneLogHeader(kHeader, segment);
  for (std::uint64_t i = 5; i < 5 + writes; ++i) {
    AppendLogRecord(Say(i), {i, i, TimeOf(i)}, frame, segment);
  }
  const std::uint64_t last = 5 + writes;
  for (std::uint64_t i = last; i < last + together; ++i) {
    AppendLogRecord(Say(i), {i, last, TimeOf(i)}, frame, segment);
  }
  return segment;
}

// How many records are read before the end; the error, if it ends with one.
absl::StatusOr<std::uint64_t> CountRecords(const std::string& segment) {
  absl::StatusOr<LaneLogReader> reader = LaneLogReader::Open("segment-5", AsBytes(segment), 5);
  if (!reader.ok()) return reader.status();
  for (;;) {
    const std::uint64_t number = reader->number();
    const auto message = reader->Next();
    if (!message.ok()) return message.status();
    if (!*message) {
      CHECK(reader->offset() <= segment.size());
      return number - reader->header().first;
    }
    CHECK(std::get<CloseSession>(**message).session == SessionId{number + 100});
    CHECK(reader->time_us() == TimeOf(number));
  }
}

TEST_CASE("records come back in order, whatever was written together", "[protocol][lane_log]") {
  const std::string segment = Segment(3, 4);
  const auto reader = LaneLogReader::Open("s", AsBytes(segment), 5);
  REQUIRE(reader.ok());
  CHECK(reader->header() == kHeader);
  CHECK(CountRecords(segment).value() == 7);
}

TEST_CASE("a segment cut anywhere gives the records that are whole", "[protocol][lane_log]") {
  const std::string segment = Segment(2, 3);
  const std::size_t record = (segment.size() - kLaneLogHeaderBytes) / 5;
  for (std::size_t size = 0; size < segment.size(); ++size) {
    CAPTURE(size);
    const auto count = CountRecords(segment.substr(0, size));
    if (size < kLaneLogHeaderBytes) {
      CHECK(absl::IsNotFound(count.status()));
    } else {
      CHECK(count.value() == (size - kLaneLogHeaderBytes) / record);
    }
    // A file system may give back zeros where a write did not arrive.
    std::string zeros = segment.substr(0, size);
    zeros.resize(segment.size(), '\0');
    CHECK(CountRecords(zeros).ok() == (size >= kLaneLogHeaderBytes));
  }
}

TEST_CASE("damage is told from a torn end by what was durable", "[protocol][lane_log]") {
  const std::string segment = Segment(2, 3);
  const std::size_t record = (segment.size() - kLaneLogHeaderBytes) / 5;
  for (std::size_t i = 0; i < segment.size(); ++i) {
    CAPTURE(i);
    std::string flipped = segment;
    flipped[i] = static_cast<char>(flipped[i] ^ 0x20);
    const auto count = CountRecords(flipped);
    if (i < kLaneLogHeaderBytes) {
      CHECK_FALSE(count.ok());
      CHECK_FALSE(absl::IsNotFound(count.status()));
      continue;
    }
    const std::size_t number = (i - kLaneLogHeaderBytes) / record;
    if (number < 2) {
      // The first two were durable when the third was written.
      CHECK(absl::IsDataLoss(count.status()));
      CHECK(std::string(count.status().message()).find("segment-5: record ") == 0);
    } else {
      CHECK(count.value() == number);  // Of the last write, any part may be missing.
    }
  }
}

TEST_CASE("a segment that was never finished is none, wherever its first write has a hole",
          "[protocol][lane_log]") {
  const std::string segment = Segment(0, 3);
  for (std::size_t begin = 0; begin < kLaneLogHeaderBytes; ++begin) {
    for (std::size_t end = begin + 1; end <= segment.size(); ++end) {
      CAPTURE(begin, end);
      std::string torn = segment;
      std::fill(torn.begin() + static_cast<std::ptrdiff_t>(begin),
                torn.begin() + static_cast<std::ptrdiff_t>(end), '\0');
      const absl::Status status = CountRecords(torn).status();
      // Where what is lost was zero anyway, the header is whole.
      CHECK((status.ok() || absl::IsNotFound(status)));
    }
  }
  CHECK(absl::IsDataLoss(LaneLogReader::Open("s", AsBytes(segment), 4).status()));
}

TEST_CASE("a record that is no message, or not the next, is refused", "[protocol][lane_log]") {
  std::string frame;
  std::string segment;
  AppendLaneLogHeader(kHeader, segment);
  AppendLogRecord(Say(6), {6, 6, 1}, frame, segment);
  const auto skipped = CountRecords(segment);
  CHECK(absl::IsDataLoss(skipped.status()));
  CHECK(std::string(skipped.status().message()) ==
        "segment-5: record 5 at offset 40: is that of number 6");
}

TEST_CASE("a record that is older than the one before it is refused", "[protocol][lane_log]") {
  std::string frame;
  std::string segment;
  AppendLaneLogHeader(kHeader, segment);
  AppendLogRecord(Say(5), {5, 5, 100}, frame, segment);
  AppendLogRecord(Say(6), {6, 6, 99}, frame, segment);
  auto reader = LaneLogReader::Open("segment-5", AsBytes(segment), 5);
  REQUIRE(reader.ok());
  CHECK(reader->Next().ok());
  const absl::Status status = reader->Next().status();
  CHECK(absl::IsDataLoss(status));
  CHECK(std::string(status.message()).find("its time is 99: want at least 100") !=
        std::string::npos);
}

TEST_CASE("another version or another file is refused by name", "[protocol][lane_log]") {
  std::string newer = Segment(1, 0);
  newer[8] = GENERATE(as<char>(), 2, 4);
  const std::uint64_t checksum = Checksum(AsBytes(newer).first(32));
  newer.replace(32, sizeof(checksum), reinterpret_cast<const char*>(&checksum), sizeof(checksum));
  CHECK(absl::IsInvalidArgument(CountRecords(newer).status()));
  std::string foreign = Segment(1, 0);
  foreign[0] = 'X';
  CHECK(absl::IsInvalidArgument(CountRecords(foreign).status()));
}

TEST_CASE("a segment has the bytes that FORMATS.md names", "[protocol][lane_log]") {
  const std::string golden =
      test::FileText(std::string(LONGTAIL_GOLDEN_DIR) + "/lane_log_segment.hex");
  CHECK(test::HexOfBytes(Segment(1, 1)) == test::HexOfBytes(test::BytesOfHex(golden)));
}

}  // namespace
}  // namespace longtail
