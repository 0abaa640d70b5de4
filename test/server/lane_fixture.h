// A lane core with its effects, and what it answers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "server/lane_core.h"
#include "server/request_builder.h"

namespace longtail::test {

inline constexpr NodeId kLane{2};
inline constexpr NodeId kWorkerNode{50};

/// Owns partitions 0 and 2 of four.
struct LaneFixture {
  explicit LaneFixture(StepMode mode = StepMode::kAsynchronous, std::uint32_t workers = 2,
                       std::uint32_t staleness = 0, server::LaneSnapshot::Options snapshot = {})
      : lane({.self = kLane,
              .epoch = 1,
              .step_mode = mode,
              .staleness = staleness,
              .worker_count = workers,
              .partition_count = 4,
              .partitions = {PartitionId{0}, PartitionId{2}},
              .snapshot = snapshot}) {
    Send(CreateTable{1, TableId{0}, Spec("users", 1)});
    for (std::uint32_t rank = 0; rank < workers; ++rank) {
      Send(OpenSession{2, SessionId{10 + rank}, rank});
    }
    effects.Clear();
  }

  static TableSpec Spec(const char* name, std::uint32_t dim) {
    return {.name = name,
            .dim = dim,
            .optimizer = {.rule = SgdSpec{.learning_rate = 1}},
            .initializer = ConstantSpec{.value = 3}};
  }

  /// Forgets the effects so far and hands the lane a message.
  void Send(Message message, NodeId source = kWorkerNode) {
    effects.Clear();
    lane.Step({source, kLane, std::move(message)}, now, effects);
  }
  void SendPush(std::shared_ptr<const PushRequest> push) { Send(std::move(push)); }
  void SendPull(std::shared_ptr<const PullRequest> pull) { Send(std::move(pull)); }
  void SendEnd(std::uint32_t rank, std::uint64_t sequence, std::uint64_t step) {
    auto barrier = std::make_shared<BarrierRequest>();
    *barrier = {.session = SessionId{10 + rank},
                .request = 9,
                .epoch = 1,
                .step = step,
                .sections = {{PartitionId{0}, sequence}, {PartitionId{2}, sequence}}};
    Send(std::shared_ptr<const BarrierRequest>(std::move(barrier)));
  }

  template <typename T>
  const T& Answer(std::size_t i = 0) const {
    return std::get<T>(effects.sends.at(i).body);
  }

  PushPart Part(PartitionId partition, std::uint64_t sequence, float gradient) const {
    return {.partition = partition,
            .table = TableId{0},
            .dim = 1,
            .sequence = sequence,
            .keys = {partition == PartitionId{0} ? key0 : key2},
            .gradients = {gradient}};
  }
  float Weight(PartitionId partition) const {
    const Key key = partition == PartitionId{0} ? key0 : key2;
    sparse::RowView row;
    return lane.FindPartition(partition)->table(TableId{0}).Find(key, &row) ? row.values[0] : 3;
  }

  const absl::Time now = absl::UnixEpoch();
  Effects effects;
  server::LaneCore lane;
  const Key key0 = KeysOf(PartitionId{0}, 4, 1)[0];
  const Key key2 = KeysOf(PartitionId{2}, 4, 1)[0];
};

}  // namespace longtail::test
