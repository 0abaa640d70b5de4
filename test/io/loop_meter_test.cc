// What a loop has done is counted: messages by kind, answers that say no, snapshots, writes.
#include "io/loop_meter.h"

#include <catch2/catch.hpp>

#include "absl/time/clock.h"
#include "io/core_loop.h"
#include "io/loopback.h"

namespace longtail {
namespace {

constexpr std::size_t kMapRequests = Message(MapRequest{}).index();

TEST_CASE("answers that say no are counted by their code, others are not", "[meter]") {
  LoopMeter meter;
  const absl::Time now = absl::FromUnixSeconds(1'700'000'000);
  meter.NoteAnswer(Acknowledgement{1, absl::UnavailableError("gap"), 0}, now);
  meter.NoteAnswer(Acknowledgement{2, absl::UnavailableError("gap"), 0}, now);
  meter.NoteAnswer(Acknowledgement{3, absl::OkStatus(), 0}, now);
  meter.NoteAnswer(MapRequest{4}, now);
  SnapshotReply reply{};
  reply.status = absl::AbortedError("no");
  meter.NoteAnswer(reply, now);
  CHECK(meter.refusals(static_cast<std::size_t>(absl::StatusCode::kUnavailable)) == 2);
  CHECK(meter.refusals(static_cast<std::size_t>(absl::StatusCode::kAborted)) == 1);
  CHECK(meter.refusals(static_cast<std::size_t>(absl::StatusCode::kOk)) == 0);
  CHECK(meter.snapshots() == 0);
  CHECK(meter.last_snapshot_at() == absl::InfinitePast());
  reply.status = absl::OkStatus();
  meter.NoteAnswer(reply, now);
  CHECK(meter.snapshots() == 1);
  CHECK(meter.last_snapshot_at() == now);
}

TEST_CASE("writes are counted with what they took, those that failed apart", "[meter]") {
  LoopMeter meter;
  meter.NoteWrite(100, true, absl::Milliseconds(2));
  meter.NoteWrite(50, false, absl::Milliseconds(3));
  const LoopMeter::Writes writes = meter.writes();
  CHECK(writes.count == 1);
  CHECK(writes.bytes == 100);
  CHECK(writes.failed == 1);
  CHECK(writes.seconds == Approx(0.005));
}

// Takes its time with a message, and answers it.
class SlowCore final : public Core {
 public:
  void Step(const Envelope& event, absl::Time, Effects& effects) override {
    absl::SleepFor(absl::Milliseconds(2));
    effects.sends.push_back(
        {event.target, event.source, Acknowledgement{1, absl::NotFoundError("no"), 0}});
  }
  void OnStored(const StoreAnswer&, absl::Time, Effects&) override {}
  void Tick(absl::Time, Effects&) override {}
};

TEST_CASE("a loop counts the messages it deals with, and that it turns", "[meter]") {
  LoopbackNetwork network;
  const auto asker = network.Join();
  const auto endpoint = network.Join();
  LoopMeter meter;
  CHECK(meter.turned_at() == absl::InfinitePast());
  const absl::Time begin = absl::Now();
  SlowCore core;
  {
    CoreLoop loop(core, *endpoint, {.name = "slow", .meter = &meter});
    for (int i = 0; i < 5; ++i) asker->Send({asker->node(), endpoint->node(), MapRequest{1}});
    std::vector<Envelope> answers;
    while (answers.size() < 5) asker->Receive(absl::Now() + absl::Seconds(10), answers);
  }
  CHECK(meter.turned_at() >= begin - absl::Milliseconds(1));
  CHECK(meter.messages(kMapRequests).count == 5);
  CHECK(meter.messages(kMapRequests).seconds >= 5 * 0.002);
  CHECK(meter.refusals(static_cast<std::size_t>(absl::StatusCode::kNotFound)) == 5);
}

}  // namespace
}  // namespace longtail
