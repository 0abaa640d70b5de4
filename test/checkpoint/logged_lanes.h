// The lanes of a cluster that keep logs for ever, in virtual time, and what their tables held: so
// that a test can compare what is made of the logs with what was.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "base/random.h"
#include "protocol/lane_log_names.h"
#include "server/checkpoint_reader.h"
#include "server/cluster_fixture.h"
#include "server/lane_core.h"
#include "server/lane_place.h"
#include "server/lane_recovery.h"
#include "server/request_builder.h"
#include "sim/memory_store.h"
#include "sim/sim_log.h"
#include "sparse/table.h"
#include "support/gen.h"

namespace longtail::test {

/// Of each table, by partition.
using Hashes = std::vector<std::vector<std::uint64_t>>;

class LoggedLanes {
 public:
  static constexpr std::uint32_t kPartitions = 8;
  static constexpr std::uint32_t kWorkers = 2;

  LoggedLanes(StepMode mode, std::uint32_t lane_count, std::uint64_t seed,
              std::uint64_t cluster = 77)
      : rng_(seed) {
    ClusterMap map;
    map.version = 1;
    map.cluster = cluster;
    map.step_mode = mode;
    map.staleness = 1;
    map.worker_count = kWorkers;
    for (std::uint32_t i = 0; i < lane_count; ++i) map.lanes.push_back(NodeId{i + 1});
    for (std::uint32_t p = 0; p < kPartitions; ++p) map.lane_of.push_back(p % lane_count);
    // One more, of which no log says anything.
    for (std::uint32_t s = 0; s < 3; ++s) {
      map.servers.push_back({.name = ServerOf(s), .incarnation = 1, .host = "", .lanes = {}});
    }
    for (std::uint32_t i = 0; i < lane_count; ++i) {
      map.servers[i % 2].lanes.push_back({NodeId{i + 1}, {}});
    }
    map_ = std::make_shared<const ClusterMap>(std::move(map));
    for (std::uint32_t s = 0; s < 2; ++s) Must(store.Write(ServerOf(s) + "/log", "x"));
    for (std::uint32_t i = 0; i < lane_count; ++i) {
      lanes_.push_back(std::make_unique<Lane>(store, seed * 100 + i));
      Lane& lane = *lanes_.back();
      lane.node = NodeId{i + 1};
      lane.prefix = LaneLogPrefix(ServerOf(i % 2), lane.node, 1);
      lane.core = std::make_unique<server::LaneCore>(OptionsOf(lane));
      Begin(lane, 0);
      Effects effects;
      lane.core->BeginLog(map_, now, effects);
      Take(lane, effects);
    }
    for (std::uint32_t rank = 0; rank < kWorkers; ++rank) {
      ToAll(OpenSession{2, SessionId{10 + rank}, rank});
    }
    Flush();
  }

  void CreateTable(const TableSpec& spec) {
    ToAll(longtail::CreateTable{1, TableId{static_cast<std::uint32_t>(specs_.size())}, spec});
    specs_.push_back(spec);
  }

  /// A push of one worker to some partitions of each lane.
  void Push(std::uint32_t rank) {
    for (auto& lane : lanes_) {
      std::vector<PushPart> parts;
      for (const PartitionId p : PartitionsOf(*lane)) {
        if (rng_.Below(3) == 0) continue;
        const std::uint64_t sequence = sequences_[{rank, p}]++;
        for (std::uint32_t t = 0; t < specs_.size(); ++t) {
          const std::size_t n = 1 + rng_.Below(5);
          std::vector<Key> keys = KeysOf(p, kPartitions, 12);
          for (std::size_t i = 0; i < n; ++i) std::swap(keys[i], keys[i + rng_.Below(12 - i)]);
          keys.resize(n);
          std::vector<float> gradients;
          for (std::size_t i = 0; i < n * specs_[t].dim; ++i) {
            gradients.push_back(static_cast<float>(rng_.Below(9)) - 4);
          }
          parts.push_back({.partition = p,
                           .table = TableId{t},
                           .dim = specs_[t].dim,
                           .sequence = sequence,
                           .keys = std::move(keys),
                           .gradients = std::move(gradients)});
        }
      }
      if (parts.empty()) continue;
      Send(*lane, std::shared_ptr<const PushRequest>(
                      MakePush(SessionId{10 + rank}, steps_[rank], std::move(parts))));
    }
  }

  /// A worker ends its step, everywhere.
  void End(std::uint32_t rank) {
    for (auto& lane : lanes_) {
      auto barrier = std::make_shared<BarrierRequest>();
      *barrier = {.session = SessionId{10 + rank},
                  .request = 9,
                  .epoch = 1,
                  .step = steps_[rank],
                  .sections = {}};
      for (const PartitionId p : PartitionsOf(*lane)) {
        barrier->sections.push_back({p, sequences_[{rank, p}]++});
      }
      Send(*lane, std::shared_ptr<const BarrierRequest>(std::move(barrier)));
    }
    ++steps_[rank];
  }
  std::uint64_t step_of(std::uint32_t rank) { return steps_[rank]; }

  void Close(std::uint32_t rank) { ToAll(CloseSession{5, SessionId{10 + rank}}); }

  /// All there is becomes durable, and bases that were begun.
  void Flush() {
    for (auto& lane : lanes_) {
      Effects effects;
      while (!lane->log.is_idle() || lane->core->writes_base()) {
        now = std::max(now, lane->log.next());
        lane->log.Tick(*lane->core, now, effects);
      }
    }
  }

  /// Begins to write a base of some lane.
  void WriteBase() {
    Lane& lane = *lanes_[rng_.Below(lanes_.size())];
    Effects effects;
    lane.core->WriteBase(map_, {{1, 0}}, lane.prefix, now, effects);
    Take(lane, effects);
  }

  /// A lane loses its memory, and what was not yet durable; what it was sent last comes again.
  void Crash() {
    Lane& lane = *lanes_[rng_.Below(lanes_.size())];
    lane.core.reset();
    lane.log.Crash();
    server::RecoveredLane recovered =
        Must(server::RecoverLane(store, lane.prefix, lane.node, 1000));
    lane.core = std::move(recovered.core);
    Begin(lane, lane.core->log_end());
    const std::vector<Message> again = std::move(lane.unflushed);
    lane.unflushed.clear();
    for (const Message& message : again) Send(lane, message);
  }

  /// Of all that the lanes hold now.
  Hashes Now() const {
    Hashes hashes(specs_.size(), std::vector<std::uint64_t>(kPartitions, 0));
    for (std::uint32_t p = 0; p < kPartitions; ++p) {
      const server::PartitionCore& partition =
          *lanes_[map_->lane_of[p]]->core->FindPartition(PartitionId{p});
      for (std::uint32_t t = 0; t < partition.table_count(); ++t) {
        hashes[t][p] = partition.table(TableId{t}).ContentHash();
      }
    }
    return hashes;
  }

  /// Of the time of the newest record of any lane.
  std::uint64_t newest_us() const {
    std::uint64_t newest = 0;
    for (const auto& lane : lanes_) newest = std::max(newest, lane->core->time_us());
    return newest;
  }

  /// Steps that all partitions have ended.
  std::uint64_t step() const {
    std::uint64_t step = lanes_[0]->core->least_step();
    for (const auto& lane : lanes_) step = std::min(step, lane->core->least_step());
    return step;
  }

  /// By step and partition, what its tables held while that was its step.
  const std::map<std::pair<std::uint64_t, std::uint32_t>, std::vector<std::uint64_t>>& by_step()
      const {
    return by_step_;
  }

  const std::vector<TableSpec>& specs() const { return specs_; }
  std::string prefix(std::size_t lane) const { return lanes_[lane]->prefix; }
  std::size_t lane_count() const { return lanes_.size(); }
  NodeId node(std::size_t lane) const { return lanes_[lane]->node; }

  sim::MemoryStore store;
  absl::Time now = absl::FromUnixSeconds(1'800'000'000);

 private:
  struct Lane {
    Lane(sim::MemoryStore& store, std::uint64_t seed) : log(store, seed, true) {}

    NodeId node{};
    std::string prefix;
    std::unique_ptr<server::LaneCore> core;
    sim::SimLog log;
    std::vector<Message> unflushed;  // Since all was durable.
  };

  static std::string ServerOf(std::uint32_t i) { return absl::StrCat("server-", i); }

  server::LaneCore::Options OptionsOf(const Lane& lane) const {
    server::LaneCore::Options options = Must(server::PlaceOfLane(*map_, lane.node));
    options.keeps_log = true;
    return options;
  }
  void Begin(Lane& lane, std::uint64_t first) const {
    lane.log.Begin({.log = 1,
                    .prefix = lane.prefix,
                    .header = {.lane = static_cast<std::uint32_t>(lane.node),
                               .cluster = map_->cluster,
                               .first = first},
                    .is_whole = true});
  }
  std::vector<PartitionId> PartitionsOf(const Lane& lane) const {
    std::vector<PartitionId> partitions;
    for (std::uint32_t p = 0; p < kPartitions; ++p) {
      if (map_->lanes[map_->lane_of[p]] == lane.node) partitions.push_back(PartitionId{p});
    }
    return partitions;
  }

  void ToAll(const Message& message) {
    for (auto& lane : lanes_) Send(*lane, message);
  }
  void Send(Lane& lane, const Message& message) {
    now += absl::Microseconds(1 + rng_.Below(500));
    Effects effects;
    lane.core->Step({NodeId{50}, lane.node, message}, now, effects);
    if (lane.log.is_idle()) lane.unflushed.clear();
    lane.unflushed.push_back(message);
    Take(lane, effects);
    if (map_->step_mode == StepMode::kAsynchronous) return;
    for (const PartitionId p : PartitionsOf(lane)) {
      const server::PartitionCore& partition = *lane.core->FindPartition(p);
      std::vector<std::uint64_t> hashes;
      for (std::uint32_t t = 0; t < partition.table_count(); ++t) {
        hashes.push_back(partition.table(TableId{t}).ContentHash());
      }
      by_step_[{partition.step(), static_cast<std::uint32_t>(p)}] = std::move(hashes);
    }
  }
  void Take(Lane& lane, Effects& effects) const {
    lane.log.TakeEffects(*lane.core, now, effects);
    effects.Clear();
  }

  Rng rng_;
  std::shared_ptr<const ClusterMap> map_;
  std::vector<std::unique_ptr<Lane>> lanes_;
  std::vector<TableSpec> specs_;
  std::map<std::pair<std::uint32_t, PartitionId>, std::uint64_t> sequences_;
  std::map<std::uint32_t, std::uint64_t> steps_;
  std::map<std::pair<std::uint64_t, std::uint32_t>, std::vector<std::uint64_t>> by_step_;
};

/// Of what a checkpoint holds.
inline Hashes HashesOf(BlobStore& store, const Manifest& manifest) {
  std::vector<std::vector<std::unique_ptr<sparse::Table>>> tables(manifest.tables.size());
  Hashes hashes;
  for (std::size_t t = 0; t < tables.size(); ++t) {
    for (std::uint32_t p = 0; p < manifest.partition_count; ++p) {
      tables[t].push_back(std::make_unique<sparse::Table>(manifest.tables[t].spec));
    }
  }
  Must(server::ReadRows(store, manifest, [&](RowBlock rows) {
    for (std::size_t i = 0; i < rows.keys.size(); ++i) {
      const auto p = static_cast<std::size_t>(PartitionOf(rows.keys[i], manifest.partition_count));
      Must(tables[static_cast<std::size_t>(rows.table)][p]->Import(
          {.key = rows.keys[i],
           .count = rows.counts[i],
           .last_step = rows.last_steps[i],
           .values = std::span(rows.values).subspan(i * rows.value_count, rows.value_count)}));
    }
    return absl::OkStatus();
  }));
  for (const auto& of_table : tables) {
    hashes.emplace_back();
    for (const auto& table : of_table) hashes.back().push_back(table->ContentHash());
  }
  return hashes;
}

}  // namespace longtail::test
