// A lane that keeps a log: what it says of a change waits for the log, and the log makes it again.
#include "server/lane_recovery.h"

#include <catch2/catch.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "io/file_store.h"
#include "protocol/lane_log.h"
#include "protocol/lane_log_names.h"
#include "protocol/store_write.h"
#include "server/cluster_fixture.h"
#include "server/lane_fixture.h"
#include "server/scratch_directory.h"

namespace longtail::server {
namespace {

using test::Must;

const std::string kPrefix = LaneLogPrefix("s", test::kLane, 1);
const std::vector<EpochStart> kEpochs = {{1, 0}};

std::shared_ptr<const ClusterMap> MapOf(StepMode mode) {
  ClusterMap map;
  map.version = 1;
  map.cluster = 77;
  map.step_mode = mode;
  map.worker_count = 2;
  map.lanes = {test::kLane, NodeId{3}};
  map.lane_of = {0, 1, 0, 1};
  map.servers = {
      {.name = "s", .incarnation = 1, .host = "", .lanes = {{test::kLane, {}}, {NodeId{3}, {}}}}};
  return std::make_shared<const ClusterMap>(std::move(map));
}

// A lane whose log goes to a store, record by record, when the test says so.
class LoggedLane {
 public:
  LoggedLane(BlobStore& store, StepMode mode) : store_(store) {
    LaneCore::Options options = Must(PlaceOfLaneOf(mode));
    options.keeps_log = true;
    core = std::make_unique<LaneCore>(options);
    core->BeginLog(MapOf(mode), absl::UnixEpoch(), effects_);
    Keep();
    Send(CreateTable{1, TableId{0}, test::LaneFixture::Spec("users", 1)});
    for (std::uint32_t rank = 0; rank < 2; ++rank) {
      Send(OpenSession{2, SessionId{10 + rank}, rank});
    }
    Flush();
  }

  static absl::StatusOr<LaneCore::Options> PlaceOfLaneOf(StepMode mode) {
    return LaneCore::Options{.self = test::kLane,
                             .epoch = 1,
                             .step_mode = mode,
                             .worker_count = 2,
                             .partition_count = 4,
                             .partitions = {PartitionId{0}, PartitionId{2}}};
  }

  // What is answered at once.
  std::vector<Envelope> Send(Message message) {
    core->Step({test::kWorkerNode, test::kLane, std::move(message)}, now, effects_);
    return Keep();
  }
  std::vector<Envelope> Push(std::uint32_t rank, std::uint64_t sequence, std::uint64_t step,
                             float gradient) {
    return Send(std::shared_ptr<const PushRequest>(
        test::MakePush(SessionId{10 + rank}, step,
                       {{.partition = PartitionId{0},
                         .table = TableId{0},
                         .dim = 1,
                         .sequence = sequence,
                         .keys = test::KeysOf(PartitionId{0}, 4, 3),
                         .gradients = {gradient, 2 * gradient, 3 * gradient}},
                        {.partition = PartitionId{2},
                         .table = TableId{0},
                         .dim = 1,
                         .sequence = sequence,
                         .keys = test::KeysOf(PartitionId{2}, 4, 1),
                         .gradients = {gradient}}})));
  }
  std::vector<Envelope> End(std::uint32_t rank, std::uint64_t sequence, std::uint64_t step) {
    auto barrier = std::make_shared<BarrierRequest>();
    *barrier = {.session = SessionId{10 + rank},
                .request = 9,
                .epoch = 1,
                .step = step,
                .sections = {{PartitionId{0}, sequence}, {PartitionId{2}, sequence}}};
    return Send(std::shared_ptr<const BarrierRequest>(std::move(barrier)));
  }

  // The log so far becomes durable; what that lets the lane say.
  std::vector<Envelope> Flush() {
    for (const LogEntry& entry : waiting_) {
      if (segment_.empty()) {
        AppendLaneLogHeader(
            {.lane = static_cast<std::uint32_t>(test::kLane), .cluster = 77, .first = entry.number},
            segment_);
        name_ = LaneLogName(kPrefix, entry.number);
      }
      std::string frame;
      AppendLogRecord(entry.message, {entry.number, waiting_.front().number, entry.time_us}, frame,
                      segment_);
    }
    waiting_.clear();
    Must(store_.Extend(name_, 0, segment_));
    core->OnLogged(1, core->log_end(), absl::UnixEpoch(), effects_);
    return Keep();
  }

  // Writes a base, as a loop does; the place in the log that it stands for.
  std::uint64_t WriteBase(std::shared_ptr<const ClusterMap> map) {
    CHECK(core->WriteBase(std::move(map), kEpochs, kPrefix, absl::UnixEpoch(), effects_));
    while (!effects_.writes.empty()) {
      const std::vector<StoreWrite> writes = std::move(effects_.writes);
      effects_.writes.clear();
      for (const StoreWrite& write : writes) {
        CHECK(write.is_base);
        core->OnStored(CarryOutWrite(write,
                                     [&](const std::string& name, const std::string& bytes) {
                                       return store_.Write(name, bytes);
                                     }),
                       absl::UnixEpoch(), effects_);
      }
    }
    CHECK(effects_.sends.empty());
    const std::uint64_t end = effects_.log_base.value();
    effects_.Clear();
    segment_.clear();  // The next write begins a segment.
    return end;
  }

  std::unique_ptr<LaneCore> core;
  absl::Time now = absl::UnixEpoch();

 private:
  std::vector<Envelope> Keep() {
    for (LogEntry& entry : effects_.log) waiting_.push_back(std::move(entry));
    std::vector<Envelope> sends = std::move(effects_.sends);
    effects_.Clear();
    return sends;
  }

  BlobStore& store_;
  Effects effects_;
  std::vector<LogEntry> waiting_;
  std::string name_;
  std::string segment_;
};

std::uint64_t Hash(const LaneCore& lane) {
  return lane.FindPartition(PartitionId{0})->table(TableId{0}).ContentHash() * 31 +
         lane.FindPartition(PartitionId{2})->table(TableId{0}).ContentHash();
}

struct Scratch {
  const test::ScratchDirectory directory;
  const std::unique_ptr<FileStore> store = Must(FileStore::Open(directory.path()));
};

TEST_CASE_METHOD(Scratch, "a change is acknowledged once the log has it, a repeat no sooner",
                 "[server][lane][log]") {
  LoggedLane lane(*store, StepMode::kAsynchronous);
  CHECK(lane.Push(0, 0, 0, 1).empty());
  CHECK(lane.Push(0, 0, 0, 1).empty());  // Sent again.
  // Rows do not wait.
  const auto rows = lane.Send(std::shared_ptr<const PullRequest>(
      test::MakePull(5, 0,
                     {{.partition = PartitionId{2},
                       .table = TableId{0},
                       .keys = test::KeysOf(PartitionId{2}, 4, 1)}})));
  REQUIRE(rows.size() == 1);
  CHECK(std::get<PullReply>(rows[0].body).values[0] == 2);

  const auto answers = lane.Flush();

  REQUIRE(answers.size() == 2);
  for (const Envelope& answer : answers) {
    CHECK(answer.target == test::kWorkerNode);
    CHECK(std::get<Acknowledgement>(answer.body).status.ok());
  }
  // What changes nothing is no entry, and need not wait for one.
  const std::uint64_t end = lane.core->log_end();
  CHECK(lane.Push(0, 0, 0, 1).size() == 1);
  CHECK(lane.core->log_end() == end);
}

TEST_CASE_METHOD(Scratch, "a lane comes back as its log leaves it", "[server][lane][log]") {
  const StepMode mode = GENERATE(StepMode::kAsynchronous, StepMode::kSynchronous);
  LoggedLane lane(*store, mode);
  lane.Push(0, 0, 0, 1);
  lane.Push(0, 1, 0, -4);
  lane.Push(1, 0, 0, 2);
  lane.End(0, 2, 0);
  lane.End(1, 1, 0);
  lane.Push(1, 2, 1, 8);
  lane.Push(0, 9, 1, 8);  // A gap: refused, and no entry.
  lane.Flush();
  const std::uint64_t want = Hash(*lane.core);
  lane.Push(0, 3, 1, 16);  // Never durable.

  const RecoveredLane recovered = Must(RecoverLane(*store, kPrefix, test::kLane, 1000));

  REQUIRE(recovered.core != nullptr);
  CHECK(*recovered.map == *MapOf(mode));
  CHECK(recovered.torn_bytes == 0);
  CHECK(Hash(*recovered.core) == want);
  const PartitionCore& before = *lane.core->FindPartition(PartitionId{0});
  const PartitionCore& after = *recovered.core->FindPartition(PartitionId{0});
  CHECK(after.log_position() == before.log_position() - (1));
  CHECK(after.sessions().at(SessionId{10}).next_sequence == 3);
  CHECK(after.sessions().at(SessionId{11}).next_sequence == 3);
  CHECK(after.has_unapplied_pushes() == (mode == StepMode::kSynchronous));
  // What was not acknowledged is sent again, and both end alike.
  Effects effects;
  recovered.core->Step({test::kWorkerNode, test::kLane,
                        std::shared_ptr<const PushRequest>(
                            test::MakePush(SessionId{10}, 1,
                                           {{.partition = PartitionId{0},
                                             .table = TableId{0},
                                             .dim = 1,
                                             .sequence = 3,
                                             .keys = test::KeysOf(PartitionId{0}, 4, 3),
                                             .gradients = {16, 32, 48}},
                                            {.partition = PartitionId{2},
                                             .table = TableId{0},
                                             .dim = 1,
                                             .sequence = 3,
                                             .keys = test::KeysOf(PartitionId{2}, 4, 1),
                                             .gradients = {16}}}))},
                       absl::UnixEpoch(), effects);
  CHECK(effects.sends.empty());
  REQUIRE(effects.log.size() == 1);
  CHECK(effects.log[0].number == recovered.core->log_end() - 1);
  CHECK(Hash(*recovered.core) == Hash(*lane.core));
}

TEST_CASE_METHOD(Scratch, "a base stands for the log before it", "[server][lane][log]") {
  const StepMode mode = GENERATE(StepMode::kAsynchronous, StepMode::kSynchronous);
  LoggedLane lane(*store, mode);
  lane.Push(0, 0, 0, 1);
  lane.Push(1, 0, 0, 2);
  lane.End(0, 1, 0);
  lane.End(1, 1, 0);
  lane.Push(1, 2, 1, 8);  // Held, in synchronous mode.
  lane.Send(CloseSession{5, SessionId{10}});
  lane.Flush();
  const std::uint64_t end = lane.core->log_end();

  CHECK(lane.WriteBase(MapOf(mode)) == end);

  lane.Push(1, 3, 1, 16);
  lane.Flush();
  const std::uint64_t want = Hash(*lane.core);
  // The whole log, or what is left of it.
  if (GENERATE(false, true)) {
    const std::vector<std::string> names = Must(store->List(kPrefix + "/"));
    for (const std::string& name : SuperfluousOf(names, kPrefix, end)) {
      Must(store->Remove(name));
    }
  }
  const RecoveredLane recovered = Must(RecoverLane(*store, kPrefix, test::kLane, 1000));
  CHECK(recovered.base_end == end);
  CHECK(recovered.core->log_end() == lane.core->log_end());
  CHECK(*recovered.map == *MapOf(mode));
  CHECK(Hash(*recovered.core) == want);
  for (const PartitionId id : {PartitionId{0}, PartitionId{2}}) {
    const PartitionCore& before = *lane.core->FindPartition(id);
    const PartitionCore& after = *recovered.core->FindPartition(id);
    std::vector<std::shared_ptr<const PushRequest>> pushes;
    std::vector<std::shared_ptr<const PushRequest>> recovered_pushes;
    CHECK(after.Save(recovered_pushes) == before.Save(pushes));
    CHECK(recovered_pushes.size() == pushes.size());
  }
  // Both go on alike: the worker that is left ends its step, which applies what was held.
  lane.End(1, 4, 1);
  Effects effects;
  auto barrier = std::make_shared<BarrierRequest>();
  *barrier = {.session = SessionId{11},
              .request = 9,
              .epoch = 1,
              .step = 1,
              .sections = {{PartitionId{0}, 4}, {PartitionId{2}, 4}}};
  recovered.core->Step(
      {test::kWorkerNode, test::kLane, std::shared_ptr<const BarrierRequest>(std::move(barrier))},
      absl::UnixEpoch(), effects);
  CHECK(Hash(*recovered.core) == Hash(*lane.core));
  CHECK_FALSE(recovered.core->FindPartition(PartitionId{0})->has_unapplied_pushes());
}

TEST_CASE_METHOD(Scratch, "a part of a log ends where it is to, and is read without a change",
                 "[server][lane][log]") {
  LoggedLane lane(*store, StepMode::kAsynchronous);
  std::vector<std::uint64_t> ends;
  std::vector<std::uint64_t> hashes;
  std::optional<std::uint64_t> base;
  for (std::uint64_t i = 0; i < 4; ++i) {
    lane.now = absl::FromUnixSeconds(static_cast<std::int64_t>(100 * (i + 1)));
    lane.Push(0, i, 0, static_cast<float>(i + 1));
    lane.Flush();
    ends.push_back(lane.core->log_end());
    hashes.push_back(Hash(*lane.core));
    if (i == 1) base = lane.WriteBase(MapOf(StepMode::kAsynchronous));
  }
  const auto read = [&](LogPart part) {
    return Must(ReplayLane(*store, kPrefix, test::kLane, part));
  };
  for (std::uint64_t i = 0; i < 4; ++i) {
    CAPTURE(i);
    const RecoveredLane by_number = read({.end = ends[i]});
    CHECK(Hash(*by_number.core) == hashes[i]);
    CHECK(by_number.core->log_end() == ends[i]);
    CHECK(Hash(*read({.time_us = 100'000'000 * (i + 1)}).core) == hashes[i]);
    CHECK(Hash(*read({.time_us = 100'000'000 * (i + 2) - 1}).core) == hashes[i]);
    if (i == 0) continue;
    const RecoveredLane on_top = read({.base = base, .end = ends[i]});
    CHECK(Hash(*on_top.core) == hashes[i]);
    CHECK(on_top.base_end == ends[1]);
    CHECK(on_top.core->time_us() == 100'000'000 * (i + 1));
  }
  CHECK(read({.end = 0}).core == nullptr);
  // Steps alone: no table, but every sequence number.
  const RecoveredLane steps = read({.has_rows = false});
  CHECK(steps.core->table_specs().empty());
  CHECK(steps.core->log_end() == ends[3]);
  CHECK(steps.core->FindPartition(PartitionId{0})->sessions().at(SessionId{10}).next_sequence == 4);
  // A clock that goes back does not take the log's time with it.
  lane.now = absl::FromUnixSeconds(50);
  lane.Push(0, 4, 0, 1);
  lane.Flush();
  CHECK(lane.core->time_us() == 400'000'000);
  CHECK(Hash(*read({.time_us = 399'999'999}).core) == hashes[2]);
  // A base that went while it was to be read is told from one that is damaged.
  CHECK(absl::IsNotFound(
      ReplayLane(*store, kPrefix, test::kLane, {.base = std::uint64_t{3}}).status()));
}

TEST_CASE_METHOD(Scratch, "a base whose rows are gone or damaged is refused by name",
                 "[server][lane][log]") {
  LoggedLane lane(*store, StepMode::kAsynchronous);
  lane.Push(0, 0, 0, 1);
  lane.Flush();
  const std::uint64_t end = lane.WriteBase(MapOf(StepMode::kAsynchronous));
  const std::string rows = LaneBaseRows(kPrefix, end) + "/p00000-0000.snapshot";
  std::string bytes = Must(store->Read(rows));
  if (GENERATE(false, true)) {
    Must(store->Remove(rows));
  } else {
    bytes[bytes.size() / 2] ^= 1;
    Must(store->Write(rows, bytes));
  }
  const absl::Status status = RecoverLane(*store, kPrefix, test::kLane, 1000).status();
  CHECK(absl::IsDataLoss(status));
  CHECK(test::Says(status, rows));
}

TEST_CASE_METHOD(Scratch, "rows that are imported are in the log", "[server][lane][log]") {
  LoggedLane lane(*store, StepMode::kAsynchronous);
  auto rows = std::make_shared<RowBlock>();
  *rows = {TableId{0}, 1, test::KeysOf(PartitionId{2}, 4, 2), {7, 8}, {0, 0}, {1.5F, 2.5F}};
  CHECK(lane.Send(ImportRows{5, rows}).empty());
  CHECK(lane.Send(ImportStep{6, 4}).empty());
  CHECK(lane.Flush().size() == 2);
  const RecoveredLane recovered = Must(RecoverLane(*store, kPrefix, test::kLane, 1000));
  CHECK(Hash(*recovered.core) == Hash(*lane.core));
  CHECK(recovered.core->FindPartition(PartitionId{2})->step() == 4);
}

TEST_CASE_METHOD(Scratch, "a log with a hole, or of another lane, is refused by name",
                 "[server][lane][log]") {
  {
    LoggedLane lane(*store, StepMode::kAsynchronous);
    lane.Push(0, 0, 0, 1);
    lane.Flush();
  }
  const std::string name = LaneLogName(kPrefix, 0);
  const std::string whole = store->Read(name).value();
  CHECK(Must(RecoverLane(*store, "other", test::kLane, 1000)).core == nullptr);

  SECTION("its end was being written") {
    Must(store->Write(name, whole.substr(0, whole.size() - 3)));
    const RecoveredLane recovered = Must(RecoverLane(*store, kPrefix, test::kLane, 1000));
    CHECK(recovered.core->log_end() == 4);
    CHECK(recovered.torn_bytes > 3);
  }
  SECTION("a segment is gone") {
    std::string next;
    AppendLaneLogHeader(
        {.lane = static_cast<std::uint32_t>(test::kLane), .cluster = 77, .first = 9}, next);
    Must(store->Write(LaneLogName(kPrefix, 9), next));
    const absl::Status status = RecoverLane(*store, kPrefix, test::kLane, 1000).status();
    CHECK(absl::IsDataLoss(status));
    CHECK(test::Says(status, "begins with record 9: want 5, which is in no segment"));
  }
  SECTION("it is another lane's") {
    CHECK(absl::IsFailedPrecondition(RecoverLane(*store, kPrefix, NodeId{3}, 1000).status()));
  }
  SECTION("a bit is flipped in what was durable") {
    std::string flipped = whole;
    flipped[kLaneLogHeaderBytes + 50] ^= 1;
    Must(store->Write(name, flipped));
    const absl::Status status = RecoverLane(*store, kPrefix, test::kLane, 1000).status();
    CHECK(absl::IsDataLoss(status));
    CHECK(test::Says(status, name));
  }
}

}  // namespace
}  // namespace longtail::server
