// A worker core with its clock and effects, and answers as a lane gives them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "worker/worker_core.h"

namespace longtail::test {

inline constexpr NodeId kSelf{40};
inline constexpr NodeId kLaneA{7};
inline constexpr NodeId kLaneB{8};
inline constexpr SessionId kSession{1234};

struct CoreFixture {
  /// Forgets the effects so far, submits a call and gives its number.
  std::uint64_t Submit(const char* kind, std::vector<WorkerCore::Outgoing> requests,
                       absl::Duration timeout = absl::Seconds(60),
                       std::shared_ptr<PullSink> sink = nullptr) {
    effects.Clear();
    return core.Submit({.kind = kind, .keys = 17, .deadline = now + timeout, .sink = sink},
                       requests, now, effects);
  }

  static std::shared_ptr<PushRequest> Push(const std::vector<std::uint32_t>& partitions) {
    auto push = std::make_shared<PushRequest>();
    for (const std::uint32_t p : partitions) {
      push->sections.emplace_back();
      push->sections.back().partition = PartitionId{p};
    }
    return push;
  }

  /// A pull of one row of two floats into `rows`.
  std::shared_ptr<PullRequest> Pull(std::vector<float>& rows, std::shared_ptr<PullSink> sink) {
    auto pull = std::make_shared<PullRequest>();
    pull->sections.push_back({.partition = PartitionId{0},
                              .table = TableId{0},
                              .dim = 2,
                              .keys = keys,
                              .target = {.rows = rows.data(), .counts = nullptr}});
    pull->sink = std::move(sink);
    return pull;
  }

  void Deliver(NodeId source, Message message) {
    effects.Clear();
    core.Step({source, kSelf, std::move(message)}, now, effects);
  }
  void Acknowledge(NodeId lane, std::uint64_t request, absl::Status status = {},
                   std::uint64_t step = 0) {
    Deliver(lane, Acknowledgement{request, std::move(status), step});
  }
  void TickAfter(absl::Duration time) {
    now += time;
    effects.Clear();
    core.Tick(now, effects);
  }

  std::shared_ptr<const PushRequest> SentPush(std::size_t i) const {
    return std::get<std::shared_ptr<const PushRequest>>(effects.sends.at(i).body);
  }

  absl::Time now = absl::UnixEpoch() + absl::Hours(10);
  Effects effects;
  WorkerCore core{{.self = kSelf,
                   .session = kSession,
                   .rank = 3,
                   .partition_count = 8,
                   .retry_after = absl::Seconds(5)}};
  std::vector<Key> keys = {9};
};

}  // namespace longtail::test
