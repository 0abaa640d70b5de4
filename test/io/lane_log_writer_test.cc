// The thread that writes a lane's log: what it calls durable is there, whatever the store does.
#include "io/lane_log_writer.h"

#include <catch2/catch.hpp>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "protocol/lane_log.h"
#include "protocol/lane_log_names.h"
#include "protocol/wire.h"

namespace longtail {
namespace {

// Keeps blobs in memory; refuses the first so many writes, and leaves a part of each. Thread: any.
class FlakyStore final : public BlobStore {
 public:
  explicit FlakyStore(int refusals = 0) : refusals_(refusals) {}

  absl::Status Write(std::string_view name, std::string_view bytes) override {
    const MutexLock lock(&mutex_);
    blobs_[std::string(name)] = bytes;
    return absl::OkStatus();
  }
  bool Has(const std::string& name) {
    const MutexLock lock(&mutex_);
    return blobs_.contains(name);
  }
  absl::Status Extend(std::string_view name, std::uint64_t from, std::string_view bytes) override {
    const MutexLock lock(&mutex_);
    std::string& blob = blobs_[std::string(name)];
    if (blob.size() < from) return absl::FailedPreconditionError("a hole");
    blob.resize(static_cast<std::size_t>(from));
    if (refusals_-- > 0) {
      blob += bytes.substr(0, bytes.size() / 2);
      return absl::ResourceExhaustedError("no space left");
    }
    blob += bytes;
    return absl::OkStatus();
  }
  absl::StatusOr<std::string> Read(std::string_view name) override {
    const MutexLock lock(&mutex_);
    return blobs_[std::string(name)];
  }
  absl::StatusOr<std::vector<std::string>> List(std::string_view prefix) override {
    const MutexLock lock(&mutex_);
    std::vector<std::string> names;
    for (const auto& [name, blob] : blobs_) {
      if (name.starts_with(prefix)) names.push_back(name);
    }
    return names;
  }
  absl::Status Remove(std::string_view name) override {
    const MutexLock lock(&mutex_);
    blobs_.erase(std::string(name));
    return absl::OkStatus();
  }
  absl::Status RemoveUnfinished(std::string_view) override { return absl::OkStatus(); }
  std::string Describe() const override { return "memory"; }

 private:
  Mutex mutex_;
  int refusals_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, std::string> blobs_ ABSL_GUARDED_BY(mutex_);
};

// What the writer said to be durable. Thread: any.
class Durable {
 public:
  void Note(std::uint64_t log, std::uint64_t end) {
    const MutexLock lock(&mutex_);
    log_ = log;
    end_ = end;
    changed_.SignalAll();
  }
  bool Await(std::uint64_t end, absl::Duration limit, std::uint64_t log = 5) {
    const absl::Time deadline = absl::Now() + limit;
    const MutexLock lock(&mutex_);
    while ((log_ != log || end_ < end) && absl::Now() < deadline) {
      changed_.WaitWithDeadline(&mutex_, deadline);
    }
    return log_ == log && end_ >= end;
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  std::uint64_t log_ ABSL_GUARDED_BY(mutex_) = 0;
  std::uint64_t end_ ABSL_GUARDED_BY(mutex_) = 0;
};

const LogBegin kLog{.log = 5, .prefix = "s/lane-0", .header = {}, .is_whole = true};

void AppendClose(LaneLogWriter& writer, std::uint64_t number) {
  std::vector<LogEntry> entries;
  LogEntry entry{.number = number, .message = CloseSession{number, SessionId{number}}};
  // Some are frames already.
  if (number % 3 == 0) {
    auto frame = std::make_shared<std::string>();
    Encode(entry.message, *frame);
    entry = {.number = number, .message = MapRequest{}, .frame = AsBytes(*frame), .owner = frame};
  }
  entries.push_back(std::move(entry));
  writer.Append(entries);
  CHECK(entries.empty());
}

// Sessions that the segments name, in order.
std::vector<std::uint64_t> Sessions(BlobStore& store, const std::string& prefix = "s/lane-0") {
  std::vector<std::uint64_t> sessions;
  const std::vector<std::string> names = store.List("").value();
  for (const std::uint64_t first : FindLaneLog(names, prefix).segments) {
    const std::string name = LaneLogName(prefix, first);
    const std::string bytes = store.Read(name).value();
    auto reader = LaneLogReader::Open(name, AsBytes(bytes), first);
    REQUIRE(reader.ok());
    for (;;) {
      const auto message = reader->Next();
      REQUIRE(message.ok());
      if (!*message) break;
      sessions.push_back(static_cast<std::uint64_t>(std::get<CloseSession>(**message).session));
    }
    CHECK(reader->offset() == bytes.size());
  }
  return sessions;
}

std::vector<std::uint64_t> Numbers(std::uint64_t first, std::uint64_t end) {
  std::vector<std::uint64_t> numbers;
  for (std::uint64_t i = first; i < end; ++i) numbers.push_back(i);
  return numbers;
}

TEST_CASE("entries are durable in order, in segments of bounded size", "[io][lane_log]") {
  FlakyStore store;
  Durable durable;
  LaneLogWriter writer({.store = &store, .segment_bytes_max = 1000});
  writer.Begin({.log = 5, .prefix = "s/lane-0", .header = {.first = 3}, .is_whole = true});
  writer.Start([&](std::uint64_t log, std::uint64_t end) { durable.Note(log, end); });

  for (std::uint64_t i = 3; i < 100; ++i) AppendClose(writer, i);

  CHECK(durable.Await(100, absl::Seconds(20)));
  CHECK(Sessions(store) == Numbers(3, 100));
  const std::vector<std::string> names = store.List("").value();
  CHECK(names.size() >= 5);
  for (const std::string& name : names) CHECK(store.Read(name).value().size() < 1200);
}

TEST_CASE("behind a base the log begins anew, and what was before it goes", "[io][lane_log]") {
  FlakyStore store;
  Durable durable;
  LaneLogWriter writer({.store = &store, .segment_bytes_max = 300});
  writer.Begin(kLog);
  writer.Start([&](std::uint64_t log, std::uint64_t end) { durable.Note(log, end); });
  for (std::uint64_t i = 0; i < 10; ++i) AppendClose(writer, i);
  CHECK(durable.Await(10, absl::Seconds(20)));
  CHECK(writer.bytes_since_base() > 500);

  writer.NoteBase();
  CHECK(writer.bytes_since_base() > 500);  // It is not durable yet.
  writer.Trim(10);
  AppendClose(writer, 10);

  CHECK(durable.Await(11, absl::Seconds(20)));
  CHECK(writer.bytes_since_base() > 0);
  CHECK(writer.bytes_since_base() < 200);
  writer.Trim(11);
  AppendClose(writer, 11);
  CHECK(durable.Await(12, absl::Seconds(20)));
  // The segment that was the last one when the base was made stays until the next.
  CHECK(Sessions(store) == Numbers(10, 12));
}

TEST_CASE("a log that another replaces goes once that one is whole", "[io][lane_log]") {
  FlakyStore store;
  Durable durable;
  LaneLogWriter writer({.store = &store});
  writer.Start([&](std::uint64_t log, std::uint64_t end) { durable.Note(log, end); });
  writer.Begin({.log = 5, .prefix = "s/a", .header = {}, .is_whole = true});
  for (std::uint64_t i = 0; i < 4; ++i) AppendClose(writer, i);
  writer.Begin({.log = 6, .prefix = "s/b", .header = {.first = 3}, .is_whole = false});
  AppendClose(writer, 3);
  writer.Begin({.log = 7, .prefix = "s/c", .header = {.first = 2}, .is_whole = false});
  for (std::uint64_t i = 2; i < 6; ++i) AppendClose(writer, i);
  CHECK(durable.Await(6, absl::Seconds(20), 7));
  CHECK(Sessions(store, "s/a") == Numbers(0, 4));
  CHECK(Sessions(store, "s/b") == Numbers(3, 4));

  writer.Trim(4);
  AppendClose(writer, 6);

  CHECK(durable.Await(7, absl::Seconds(20), 7));
  CHECK(Sessions(store, "s/a").empty());
  CHECK(Sessions(store, "s/b").empty());
  CHECK(Sessions(store, "s/c") == Numbers(2, 7));

  // Nothing is logged any more.
  writer.Begin({.log = 0, .prefix = {}, .header = {}, .is_whole = true});
  AppendClose(writer, 7);
  writer.Begin({.log = 8, .prefix = "s/d", .header = {}, .is_whole = true});
  AppendClose(writer, 0);
  CHECK(durable.Await(1, absl::Seconds(20), 8));
  CHECK(store.List("").value() ==
        std::vector<std::string>{LaneLogGone("s/c"), LaneLogName("s/d", 0)});
}

TEST_CASE("where logs are kept nothing goes, and what is over is marked", "[io][lane_log]") {
  FlakyStore store;
  Durable durable;
  LaneLogWriter writer({.store = &store, .keeps_history = true});
  writer.Start([&](std::uint64_t log, std::uint64_t end) { durable.Note(log, end); });
  writer.Begin({.log = 5, .prefix = "s/a", .header = {}, .is_whole = true});
  for (std::uint64_t i = 0; i < 4; ++i) AppendClose(writer, i);
  writer.Trim(3);
  AppendClose(writer, 4);
  writer.Begin({.log = 6, .prefix = "s/b", .header = {.first = 3}, .is_whole = false});
  AppendClose(writer, 3);
  CHECK(durable.Await(4, absl::Seconds(20), 6));
  CHECK_FALSE(store.Has(LaneLogGone("s/a")));
  writer.Trim(3);
  AppendClose(writer, 4);
  CHECK(durable.Await(5, absl::Seconds(20), 6));
  CHECK(store.Has(LaneLogGone("s/a")));
  CHECK_FALSE(store.Has(LaneLogGone("s/b")));
  CHECK(Sessions(store, "s/a") == Numbers(0, 5));
  CHECK(Sessions(store, "s/b") == Numbers(3, 5));
  writer.Begin({.log = 0, .prefix = {}, .header = {}, .is_whole = true});
  writer.Begin({.log = 8, .prefix = "s/d", .header = {}, .is_whole = true});
  AppendClose(writer, 0);
  CHECK(durable.Await(1, absl::Seconds(20), 8));
  CHECK(store.Has(LaneLogGone("s/b")));
  CHECK(Sessions(store, "s/b") == Numbers(3, 5));
}

TEST_CASE("a write that fails is tried again and leaves no part behind", "[io][lane_log]") {
  FlakyStore store(3);
  Durable durable;
  LaneLogWriter writer({.store = &store, .retry_after = absl::Milliseconds(20)});
  writer.Begin(kLog);
  writer.Start([&](std::uint64_t log, std::uint64_t end) { durable.Note(log, end); });

  AppendClose(writer, 0);
  CHECK(durable.Await(1, absl::Seconds(20)));
  AppendClose(writer, 1);

  CHECK(durable.Await(2, absl::Seconds(20)));
  CHECK(Sessions(store) == Numbers(0, 2));
}

TEST_CASE("what it has is written before it ends, unless the store refuses", "[io][lane_log]") {
  const int refusals = GENERATE(0, 1'000'000);
  FlakyStore store(refusals);
  Durable durable;
  {
    LaneLogWriter writer({.store = &store});
    writer.Begin(kLog);
    writer.Start([&](std::uint64_t log, std::uint64_t end) { durable.Note(log, end); });
    for (std::uint64_t i = 0; i < 10; ++i) AppendClose(writer, i);
  }
  CHECK(durable.Await(10, absl::ZeroDuration()) == (refusals == 0));
}

}  // namespace
}  // namespace longtail
