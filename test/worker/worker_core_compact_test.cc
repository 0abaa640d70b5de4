// A worker's core with requests in compact form: what is sent, sent again, and counted.
#include <catch2/catch.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "protocol/value_codec.h"
#include "protocol/wire.h"
#include "worker/core_fixture.h"
#include "worker/worker_core.h"

namespace longtail {
namespace {

using test::kLaneA;
using test::kLaneB;

using PullPointer = std::shared_ptr<const CompactPull>;
using PushPointer = std::shared_ptr<const CompactPush>;

struct CompactFixture : test::CoreFixture {
  WorkerCore::Options Options() const {
    return {.self = test::kSelf,
            .session = test::kSession,
            .rank = 3,
            .partition_count = 8,
            .retry_after = absl::Seconds(5),
            .counts_bytes = true,
            .compact = {.names_key_lists = true}};
  }

  std::uint64_t SubmitPull(NodeId lane = kLaneA) {
    auto pull = Pull(rows, sink);
    sink->Open();
    pull->sections[0].keys = list;
    pull->compact = WireValues::kFloat16;
    return SubmitTo("pull", {{lane, pull}}, sink);
  }
  std::uint64_t SubmitPush() {
    auto push = Push({0});
    push->sections[0].dim = 2;
    push->sections[0].keys = list;
    push->sections[0].counts = counts;
    push->sections[0].gradients = gradients;
    push->compact = WireValues::kInt8;
    return SubmitTo("push", {{kLaneA, push}}, nullptr);
  }
  std::uint64_t SubmitTo(const char* kind, std::vector<WorkerCore::Outgoing> requests,
                         std::shared_ptr<PullSink> sink_or_none) {
    effects.Clear();
    return compact.Submit(
        {.kind = kind, .keys = 4, .deadline = now + absl::Seconds(60), .sink = sink_or_none},
        requests, now, effects);
  }
  void Deliver(NodeId lane, Message message) {
    effects.Clear();
    compact.Step({lane, test::kSelf, std::move(message)}, now, effects);
  }
  template <typename T>
  T Sent(std::size_t i = 0) const {
    return std::get<T>(effects.sends.at(i).body);
  }
  CompactPullReply Reply(std::uint64_t request) {
    packed.resize(4 * 2 * 2);
    PackRows(WireValues::kFloat16, 2, std::vector<float>{1, 2, 3, 4, 5, 6, 7, 8}, packed.data());
    return {.request = request,
            .step = 0,
            .values = WireValues::kFloat16,
            .rows = packed,
            .counts = {},
            .owner = nullptr};
  }

  std::vector<Key> list = {0x8123456789ABCDEF, 0x4444444444444444, 0xC023456789ABCDEF, 0x1111};
  std::vector<std::uint32_t> counts = {1, 1, 1, 1};
  std::vector<float> gradients = {1, 2, 3, 4, 5, 6, 7, 8};
  std::vector<float> rows = std::vector<float>(8, -1);
  std::shared_ptr<PullSink> sink = std::make_shared<PullSink>();
  std::vector<std::byte> packed;
  WorkerCore compact{Options()};
};

TEST_CASE_METHOD(CompactFixture, "a pull's packed rows go where it wants them",
                 "[worker][worker_core]") {
  const std::uint64_t call = SubmitPull();
  const PullPointer sent = Sent<PullPointer>();
  CHECK(sent->values == WireValues::kFloat16);
  CHECK(sent->sections[0].form == KeyForm::kKeptPlain);

  Deliver(kLaneB, Reply(sent->request));
  CHECK(effects.completions.empty());  // Another lane was asked.
  Deliver(kLaneA, Reply(sent->request));

  REQUIRE(effects.completions.size() == 1);
  CHECK(effects.completions[0].call == call);
  CHECK(effects.completions[0].status.ok());
  CHECK(rows == std::vector<float>{1, 2, 3, 4, 5, 6, 7, 8});
  CHECK(compact.outstanding() == 0);
}

TEST_CASE_METHOD(CompactFixture, "packed rows that are wrong fail the pull",
                 "[worker][worker_core]") {
  SubmitPull();
  CompactPullReply reply = Reply(Sent<PullPointer>()->request);
  reply.rows = reply.rows.first(3);

  Deliver(kLaneA, reply);

  REQUIRE(effects.completions.size() == 1);
  CHECK(absl::IsInvalidArgument(effects.completions[0].status));
}

TEST_CASE_METHOD(CompactFixture, "a lane refuses a compact pull with a plain reply",
                 "[worker][worker_core]") {
  SubmitPull();

  Deliver(kLaneA, PullReply{.request = Sent<PullPointer>()->request,
                            .status = absl::NotFoundError("table 4"),
                            .step = 0,
                            .values = {},
                            .counts = {},
                            .owner = nullptr});

  REQUIRE(effects.completions.size() == 1);
  CHECK(absl::IsNotFound(effects.completions[0].status));
}

TEST_CASE_METHOD(CompactFixture, "a lane that wants keys is sent all of them, once",
                 "[worker][worker_core]") {
  SubmitPull();
  Deliver(kLaneA, KeysWanted{Sent<PullPointer>()->request});  // It had them all.
  CHECK(effects.sends.empty());
  SubmitPush();
  const PushPointer named = Sent<PushPointer>();
  REQUIRE(named->sections[0].form == KeyForm::kDigest);
  const std::size_t bytes = compact.pushed_bytes();
  CHECK(bytes == 16 + 4 + 4 * 3);

  Deliver(kLaneA, KeysWanted{named->request});
  const PushPointer whole = Sent<PushPointer>();
  CHECK(whole->request == named->request);
  CHECK(whole->sections[0].sequence == named->sections[0].sequence);
  CHECK(std::ranges::equal(whole->keys.plain, list));
  CHECK(compact.pushed_bytes() == bytes - 16 + 4 * 8);
  CHECK(compact.statistics().key_lists_wanted == 1);

  Deliver(kLaneA, KeysWanted{named->request});  // A late copy.
  CHECK(effects.sends.empty());
  Deliver(kLaneA, KeysWanted{12345});
  CHECK(effects.sends.empty());

  Deliver(kLaneA, Acknowledgement{whole->request, absl::OkStatus(), 0});
  CHECK(effects.completions.size() == 1);
  CHECK(compact.pushed_bytes() == 0);
}

TEST_CASE_METHOD(CompactFixture, "what is sent again is the same message",
                 "[worker][worker_core]") {
  SubmitPull();
  SubmitPush();
  const PushPointer first = Sent<PushPointer>();

  now += absl::Seconds(6);
  effects.Clear();
  compact.Tick(now, effects);

  REQUIRE(effects.sends.size() == 2);
  CHECK(Sent<PushPointer>(1) == first);  // Not packed again: what rounding took is used up.
  CHECK(compact.resent() == 2);
}

TEST_CASE_METHOD(CompactFixture, "bytes are those of the frames", "[worker][worker_core]") {
  const auto frame = [](const Message& message) {
    std::string bytes;
    Encode(message, bytes);
    return bytes.size();
  };
  SubmitPull();
  std::uint64_t sent = frame(Sent<PullPointer>());
  SubmitPush();
  sent += frame(Sent<PushPointer>());
  const CompactPullReply reply = Reply(1);
  Deliver(kLaneA, reply);
  const Acknowledgement ack{2, absl::OkStatus(), 0};
  Deliver(kLaneA, ack);

  const WorkerStatistics got = compact.statistics();
  CHECK(got.bytes_sent == sent);
  CHECK(got.key_bytes_sent == 4 * 8 + 16);
  CHECK(got.value_bytes_sent == 4 * 3);
  CHECK(got.bytes_received == frame(reply) + frame(ack));
  CHECK(got.value_bytes_received == 4 * 2 * 2);
  CHECK(got.key_lists_named == 1);
}

TEST_CASE_METHOD(CompactFixture, "the end of a synchronous step waits for compact pulls, too",
                 "[worker][worker_core]") {
  WorkerCore::Options options = Options();
  options.step_mode = StepMode::kSynchronous;
  WorkerCore synchronous(options);
  auto pull = Pull(rows, sink);
  pull->sections[0].keys = list;
  pull->compact = WireValues::kFloat16;
  std::vector<WorkerCore::Outgoing> pulls = {{kLaneA, pull}};
  synchronous.Submit({.kind = "pull", .deadline = now + absl::Seconds(60), .sink = sink}, pulls,
                     now, effects);
  const std::uint64_t request = Sent<PullPointer>()->request;
  std::vector<WorkerCore::Outgoing> ends = {{kLaneA, std::make_shared<BarrierRequest>()}};
  effects.Clear();
  synchronous.Submit({.kind = "end", .deadline = now + absl::Seconds(60), .ends_step = true}, ends,
                     now, effects);
  CHECK(effects.sends.empty());

  effects.Clear();
  synchronous.Step({kLaneA, test::kSelf, Reply(request)}, now, effects);
  CHECK(effects.sends.size() == 1);
}

}  // namespace
}  // namespace longtail
