// Checkpoints made of servers' logs hold what the tables held at the moment, or at the end of the
// step, that was asked for: whatever was pushed, crashed and written out around it.
#include "checkpoint/log_checkpoint.h"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

#include "checkpoint/kept_logs.h"
#include "checkpoint/logged_lanes.h"
#include "checkpoint/verification.h"
#include "io/log_keeper.h"
#include "protocol/lane_log.h"
#include "protocol/lane_log_names.h"

namespace longtail::checkpoint {
namespace {

using test::Hashes;
using test::HashesOf;
using test::LoggedLanes;
using test::Must;
using test::Says;

// What all lanes held when nothing was under way.
struct Note {
  std::uint64_t time_us = 0;
  std::uint64_t step = 0;
  Hashes hashes{};
};

absl::Time TimeOf(std::uint64_t micros) {
  return absl::FromUnixMicros(static_cast<std::int64_t>(micros));
}

absl::StatusOr<LogCheckpoint> Make(BlobStore& logs, const LogMoment& moment, BlobStore& to,
                                   const std::string& name = "made") {
  BlobStore* const stores[] = {&logs};
  return WriteLogCheckpoint(stores, moment, to, name);
}

// Lets workers push, servers crash and bases come; notes down what there was from time to time.
std::vector<Note> Train(LoggedLanes& lanes, StepMode mode, Rng& rng, int rounds) {
  lanes.CreateTable(test::ExactSpec("exact", 2));
  std::vector<Note> notes;
  for (int round = 0; round < rounds; ++round) {
    const auto rank = static_cast<std::uint32_t>(rng.Below(2));
    if (rng.Below(3) != 0) lanes.Push(rank);
    // One worker may be ahead of the other; of bounded steps by no more than one.
    const bool may_end = mode == StepMode::kSynchronous || lanes.step_of(rank) <= lanes.step();
    if (mode != StepMode::kAsynchronous && may_end && rng.Below(2) == 0) lanes.End(rank);
    if (round == rounds / 3) lanes.CreateTable(test::TailSpecOf("tail", 3));
    if (rng.Below(6) == 0) lanes.WriteBase();
    if (rng.Below(8) == 0) lanes.Crash();
    if (rng.Below(4) == 0) {
      lanes.Flush();
      notes.push_back({lanes.newest_us(), lanes.step(), lanes.Now()});
      // A clock that goes back: what follows is not earlier than what was before.
      lanes.now += absl::Microseconds(rng.Below(8) == 0 ? 1 : 100 + rng.Below(3000));
    }
  }
  lanes.Flush();
  notes.push_back({lanes.newest_us(), lanes.step(), lanes.Now()});
  return notes;
}

int Seeds() {
  const char* const text = std::getenv("LONGTAIL_SEEDS");
  return text == nullptr ? 12 : std::atoi(text);
}

// Tables that came later are none of what is made of a moment before them.
void CheckHashes(const Hashes& got, Hashes want) {
  while (want.size() > got.size()) want.pop_back();
  CHECK(got == want);
}

TEST_CASE("a moment that is made again holds what there was, each one that was noted",
          "[checkpoint][log]") {
  const StepMode mode = GENERATE(StepMode::kAsynchronous, StepMode::kBoundedStaleness);
  const int seed = GENERATE(range(0, Seeds()));
  CAPTURE(seed);
  Rng rng(static_cast<std::uint64_t>(seed));
  LoggedLanes lanes(mode, static_cast<std::uint32_t>(1 + rng.Below(3)),
                    static_cast<std::uint64_t>(seed));
  const std::vector<Note> notes = Train(lanes, mode, rng, 60);

  sim::MemoryStore to;
  std::uint64_t bases = 0;
  for (std::size_t i = 0; i < notes.size(); ++i) {
    // What came at the very moment counts as of it, so the last note of a moment says.
    if (i + 1 < notes.size() && notes[i + 1].time_us == notes[i].time_us) continue;
    CAPTURE(i, notes[i].time_us);
    const std::string name = absl::StrCat("at-", i);
    const LogCheckpoint made = Must(Make(lanes.store, {.at = TimeOf(notes[i].time_us)}, to, name));
    CheckHashes(HashesOf(to, made.manifest), notes[i].hashes);
    CHECK(made.manifest.created_at == MomentText(TimeOf(notes[i].time_us)));
    CHECK(made.manifest.trainer.empty());
    for (const LaneSource& lane : made.lanes) bases += lane.base ? 1 : 0;
    CHECK(Must(VerifyCheckpoint(to, name)).is_whole());
  }
  if (seed == 0) CHECK(bases > 0);
}

TEST_CASE("synchronous steps are made again each to the bit, and moments as the last of them",
          "[checkpoint][log][step]") {
  const int seed = GENERATE(range(0, Seeds()));
  CAPTURE(seed);
  Rng rng(static_cast<std::uint64_t>(seed) + 1000);
  LoggedLanes lanes(StepMode::kSynchronous, static_cast<std::uint32_t>(1 + rng.Below(3)),
                    static_cast<std::uint64_t>(seed));
  const std::vector<Note> notes = Train(lanes, StepMode::kSynchronous, rng, 60);
  const auto check = [&](BlobStore& to, const LogCheckpoint& made, std::uint64_t step) {
    CHECK(made.manifest.step == step);
    const Hashes got = HashesOf(to, made.manifest);
    for (std::uint32_t p = 0; p < LoggedLanes::kPartitions; ++p) {
      CHECK(made.manifest.partitions[p].step == step);
      const std::vector<std::uint64_t>& want = lanes.by_step().at({step, p});
      for (std::size_t t = 0; t < got.size(); ++t) {
        CAPTURE(p, t);
        // A table that was made within the step may have come since.
        if (t < want.size()) CHECK(got[t][p] == want[t]);
      }
    }
  };

  sim::MemoryStore to;
  for (std::uint64_t step = 0; step <= lanes.step(); ++step) {
    CAPTURE(step);
    const std::string name = absl::StrCat("step-", step);
    check(to, Must(Make(lanes.store, {.step = step}, to, name)), step);
  }
  for (std::size_t i = 0; i < notes.size(); ++i) {
    if (i + 1 < notes.size() && notes[i + 1].time_us == notes[i].time_us) continue;
    const std::string name = absl::StrCat("at-", i);
    check(to, Must(Make(lanes.store, {.at = TimeOf(notes[i].time_us)}, to, name)), notes[i].step);
  }
  CHECK(lanes.step() >= 5);
}

TEST_CASE("when all workers have left, a step is still what it was", "[checkpoint][log][step]") {
  LoggedLanes lanes(StepMode::kSynchronous, 2, 5);
  lanes.CreateTable(test::ExactSpec("t", 1));
  for (int i = 0; i < 3; ++i) {
    lanes.Push(0);
    lanes.Push(1);
    lanes.End(0);
    lanes.End(1);
  }
  lanes.Push(0);
  lanes.End(0);  // One is ahead,
  lanes.Push(1);
  lanes.Flush();
  const std::uint64_t before = lanes.newest_us();
  const Hashes at_three = lanes.Now();
  lanes.now += absl::Seconds(1);
  lanes.Close(1);  // and goes on alone.
  lanes.Close(0);
  lanes.Flush();
  CHECK(lanes.Now() != at_three);

  sim::MemoryStore to;
  const LogCheckpoint third = Must(Make(lanes.store, {.step = 3}, to, "three"));
  CHECK(HashesOf(to, third.manifest) == at_three);
  CHECK(HashesOf(to, Must(Make(lanes.store, {.at = TimeOf(before)}, to, "then")).manifest) ==
        at_three);
  CHECK(Must(Make(lanes.store, {.at = TimeOf(lanes.newest_us())}, to, "end")).manifest.step == 4);
}

TEST_CASE("what is refused names both ends, and is not there", "[checkpoint][log]") {
  LoggedLanes lanes(StepMode::kSynchronous, 2, 3);
  lanes.CreateTable(test::ExactSpec("t", 1));
  for (std::uint32_t i = 0; i < 4; ++i) {
    lanes.Push(0);
    lanes.End(0);
    lanes.Push(1);
    lanes.End(1);
  }
  lanes.Flush();
  sim::MemoryStore to;
  BlobStore* const stores[] = {&lanes.store};
  const KeptLogs logs = Must(ReadKeptLogs(stores));
  REQUIRE(logs.eras.size() == 1);
  const KeptEra& kept = logs.eras[0];
  CHECK(kept.from_step == 0);
  CHECK(kept.to_step == 4);
  CHECK(kept.to == TimeOf(lanes.newest_us()));

  const auto early = Make(lanes.store, {.at = kept.from - absl::Microseconds(1)}, to);
  CHECK(absl::IsOutOfRange(early.status()));
  CHECK(Says(early.status(), "is before what is kept"));
  CHECK(Says(early.status(), MomentText(kept.from) + " to " + MomentText(kept.to)));
  CHECK(Says(Make(lanes.store, {.at = kept.to + absl::Microseconds(1)}, to).status(),
             "is after what is kept"));
  const auto late = Make(lanes.store, {.step = 5}, to);
  CHECK(absl::IsOutOfRange(late.status()));
  CHECK(Says(late.status(), "step 5: is after what is kept"));
  CHECK(Says(late.status(), "steps from 0 to 4"));
  CHECK(Must(to.List("made/")).empty());

  Must(Make(lanes.store, {.step = 4}, to));
  CHECK(absl::IsAlreadyExists(Make(lanes.store, {.step = 4}, to).status()));

  LoggedLanes asynchronous(StepMode::kAsynchronous, 1, 3);
  CHECK(Says(Make(asynchronous.store, {.step = 1}, to, "other").status(), "no step ends"));
}

TEST_CASE("logs of two clusters, of none, or without a lane are refused by name",
          "[checkpoint][log]") {
  LoggedLanes lanes(StepMode::kAsynchronous, 2, 3);
  LoggedLanes others(StepMode::kAsynchronous, 2, 3, 78);
  sim::MemoryStore empty;
  BlobStore* const two[] = {&lanes.store, &others.store};
  CHECK(Says(ReadKeptLogs(two).status(), "logs of two clusters"));
  BlobStore* const none[] = {&lanes.store, &empty};
  CHECK(absl::IsNotFound(ReadKeptLogs(none).status()));
  CHECK(Says(ReadKeptLogs(none).status(), "no server has a log there"));
  for (const std::string& name : Must(lanes.store.List(lanes.prefix(1)))) {
    Must(lanes.store.Remove(name));
  }
  CHECK(Says(Make(lanes.store, {.at = lanes.now}, empty).status(), "lanes 2: no log"));
}

TEST_CASE("a leadership that another lane knows of and no log has is said", "[checkpoint][log]") {
  sim::MemoryStore logs;
  Must(logs.Write("s/log", "x"));
  const auto write = [&](std::uint32_t lane, std::uint64_t version,
                         std::vector<std::uint64_t> epochs) {
    auto map = std::make_shared<ClusterMap>();
    map->version = version;
    map->cluster = 9;
    map->lanes = {NodeId{1}, NodeId{2}};
    map->lane_of = {0, 1};
    map->lane_epochs = std::move(epochs);
    std::string bytes;
    std::string frame;
    AppendLaneLogHeader({.lane = lane, .cluster = 9, .first = 0}, bytes);
    AppendLogRecord(MapReply{.request = 0, .status = {}, .waits_for = {}, .map = map}, {0, 0, 1000},
                    frame, bytes);
    Must(logs.Write(LaneLogName(LaneLogPrefix("s", NodeId{lane}, 1), 0), bytes));
  };
  write(1, 4, {2, 1});
  write(2, 7, {3, 5});
  sim::MemoryStore to;
  const LogCheckpoint made = Must(Make(logs, {.at = TimeOf(1000)}, to));
  REQUIRE(made.lanes.size() == 2);
  CHECK(made.lanes[0].lacks_epoch == 3);
  CHECK(made.lanes[1].lacks_epoch == 0);
}

// Passes all on, but removes only so many blobs.
class StopsRemoving final : public BlobStore {
 public:
  StopsRemoving(BlobStore& under, int removals) : under_(under), removals_(removals) {}

  absl::Status Write(std::string_view name, std::string_view bytes) override {
    return under_.Write(name, bytes);
  }
  absl::Status Extend(std::string_view name, std::uint64_t from, std::string_view bytes) override {
    return under_.Extend(name, from, bytes);
  }
  absl::StatusOr<std::string> Read(std::string_view name) override { return under_.Read(name); }
  absl::StatusOr<std::vector<std::string>> List(std::string_view prefix) override {
    return under_.List(prefix);
  }
  absl::Status Remove(std::string_view name) override {
    return removals_-- > 0 ? under_.Remove(name) : absl::UnavailableError("away");
  }
  absl::Status RemoveUnfinished(std::string_view) override { return absl::OkStatus(); }
  std::string Describe() const override { return under_.Describe(); }

 private:
  BlobStore& under_;
  int removals_;
};

TEST_CASE("wherever a removal of what is too old ends, each moment since is there, and the lanes",
          "[checkpoint][log]") {
  LoggedLanes lanes(StepMode::kAsynchronous, 2, 4);
  std::vector<Note> notes;
  lanes.CreateTable(test::ExactSpec("t", 1));
  for (int i = 0; i < 8; ++i) {
    for (int push = 0; push < 4; ++push) lanes.Push(0);
    lanes.WriteBase();
    lanes.WriteBase();
    lanes.Flush();
    notes.push_back({lanes.newest_us(), 0, lanes.Now()});
    lanes.now += absl::Seconds(10);
  }
  const std::size_t horizon = 5;  // Notes from that one on are to stay.
  std::size_t blobs = Must(lanes.store.List("")).size();
  bool is_over = false;
  int rounds = 0;
  while (!is_over) {
    ++rounds;
    StopsRemoving store(lanes.store, 1);
    for (const char* server : {"server-0", "server-1"}) {
      LogPruning pruning(store, server);
      is_over = pruning.Run(TimeOf(notes[horizon].time_us)).ok();
      if (!is_over) break;
    }
    const std::size_t left = Must(lanes.store.List("")).size();
    CHECK(left <= blobs);
    CHECK(left + 1 >= blobs);
    blobs = left;
    sim::MemoryStore to;
    for (std::size_t i = horizon; i < notes.size(); ++i) {
      const LogCheckpoint made =
          Must(Make(lanes.store, {.at = TimeOf(notes[i].time_us)}, to, absl::StrCat("at-", i)));
      CHECK(HashesOf(to, made.manifest) == notes[i].hashes);
    }
    for (std::size_t i = 0; i < lanes.lane_count(); ++i) {
      const server::RecoveredLane lane =
          Must(server::RecoverLane(lanes.store, lanes.prefix(i), lanes.node(i), 0));
      CHECK(lane.core->time_us() <= notes.back().time_us);
    }
    REQUIRE(rounds < 1000);
  }
  CHECK(rounds > 10);
  // What is older is refused, or was still there for the base that is needed.
  sim::MemoryStore to;
  CHECK(absl::IsOutOfRange(Make(lanes.store, {.at = TimeOf(notes[0].time_us)}, to).status()));
}

TEST_CASE("damage in a kept log is named, and a torn end is none", "[checkpoint][log]") {
  LoggedLanes lanes(StepMode::kAsynchronous, 1, 6);
  lanes.CreateTable(test::ExactSpec("t", 1));
  for (int i = 0; i < 5; ++i) {
    lanes.Push(0);
    lanes.Flush();
  }
  const absl::Time then = TimeOf(lanes.newest_us());
  const Hashes want = lanes.Now();
  const std::string name = LaneLogName(lanes.prefix(0), 0);
  const std::string bytes = Must(lanes.store.Read(name));
  sim::MemoryStore to;

  Must(lanes.store.Write(name, bytes + "LREC and no more"));
  CHECK(HashesOf(to, Must(Make(lanes.store, {.at = then}, to)).manifest) == want);

  std::string damaged = bytes;
  damaged[kLaneLogHeaderBytes + kLogRecordHeaderBytes + 3] ^= 1;
  Must(lanes.store.Write(name, damaged));
  const absl::Status status = Make(lanes.store, {.at = then}, to, "damaged").status();
  CHECK(absl::IsDataLoss(status));
  CHECK(Says(status, name));
  CHECK_FALSE(to.Read("damaged/MANIFEST.json").ok());
}

// Removes a blob when it is read for the first time, as a server may whose log it is.
class VanishingStore final : public BlobStore {
 public:
  VanishingStore(BlobStore& under, std::string server, absl::Time horizon)
      : under_(under), pruning_(under, std::move(server)), horizon_(horizon) {}

  absl::Status Write(std::string_view, std::string_view) override { return absl::OkStatus(); }
  absl::Status Extend(std::string_view, std::uint64_t, std::string_view) override {
    return absl::OkStatus();
  }
  absl::StatusOr<std::string> Read(std::string_view name) override {
    if (name.find("/base-") != name.npos && !std::exchange(is_pruned_, true)) {
      Must(pruning_.Run(horizon_));
    }
    return under_.Read(name);
  }
  absl::StatusOr<std::vector<std::string>> List(std::string_view prefix) override {
    return under_.List(prefix);
  }
  absl::Status Remove(std::string_view) override { return absl::OkStatus(); }
  absl::Status RemoveUnfinished(std::string_view) override { return absl::OkStatus(); }
  std::string Describe() const override { return under_.Describe(); }
  bool is_pruned() const { return is_pruned_; }

 private:
  BlobStore& under_;
  LogPruning pruning_;
  const absl::Time horizon_;
  bool is_pruned_ = false;
};

TEST_CASE("what is removed while it is read is told from damage", "[checkpoint][log]") {
  LoggedLanes lanes(StepMode::kAsynchronous, 1, 6);
  lanes.CreateTable(test::ExactSpec("t", 1));
  std::vector<Note> notes;
  for (int i = 0; i < 3; ++i) {
    lanes.Push(0);
    for (int base = 0; base < 10; ++base) {  // Some fail.
      lanes.WriteBase();
      lanes.Flush();
    }
    notes.push_back({lanes.newest_us(), 0, lanes.Now()});
    lanes.now += absl::Seconds(10);
  }
  VanishingStore store(lanes.store, "server-0", TimeOf(notes[2].time_us));
  sim::MemoryStore to;
  // The base of that moment goes while its rows are read.
  const absl::Status status = Make(store, {.at = TimeOf(notes[1].time_us)}, to).status();
  CHECK(store.is_pruned());
  CHECK(absl::IsOutOfRange(status));
  CHECK(Says(status, "is before what is kept"));
  CHECK(HashesOf(to, Must(Make(store, {.at = TimeOf(notes[2].time_us)}, to)).manifest) ==
        notes[2].hashes);
}

}  // namespace
}  // namespace longtail::checkpoint
