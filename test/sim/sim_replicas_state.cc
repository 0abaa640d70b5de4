// What replicas and their logs have, and whether it is what it should be.
#include <algorithm>
#include <map>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/hash.h"
#include "checkpoint/kept_logs.h"
#include "server/lane_recovery.h"
#include "server/replica_places.h"
#include "sim/sim_replicas.h"

namespace longtail::sim {
namespace {

std::string WordsOf(const sparse::RowView& row) {
  std::string words = absl::StrCat(row.count, "@", row.last_step);
  for (const float value : row.values) absl::StrAppend(&words, ",", value);
  return words;
}

std::string WordsOf(const sparse::CountRowView& row) {
  return std::string(AsText(row.packed));
}

// All that a replica of a partition must agree on.
std::string StateOf(const server::PartitionCore& partition) {
  std::string text =
      absl::StrCat("step ", partition.step(), " position ", partition.log_position());
  for (const auto& [id, session] : partition.sessions()) {
    absl::StrAppend(&text, " session ", static_cast<std::uint64_t>(id), " ", session.rank, " ",
                    session.next_sequence, " ", session.next_step);
  }
  for (std::uint32_t t = 0; t < partition.table_count(); ++t) {
    std::map<Key, std::string> rows;
    partition.WithTable(TableId{t}, [&](const auto& table) {
      table.ForEachRow([&](const auto& row) { rows[row.key] = WordsOf(row); });
    });
    for (const auto& [key, words] : rows) {
      absl::StrAppend(&text, " table ", t, " key ", key, ": ", words);
    }
  }
  return text;
}

std::uint64_t HashOf(const server::LaneCore& lane, std::uint32_t partitions) {
  std::uint64_t hash = 0;
  for (std::uint32_t p = 0; p < partitions; ++p) {
    const server::PartitionCore* const partition = lane.FindPartition(PartitionId{p});
    if (partition == nullptr) continue;
    hash = Mix64(hash + partition->step());
    hash = Mix64(hash + partition->log_position());
    for (std::uint32_t t = 0; t < partition->table_count(); ++t) {
      hash = Mix64(hash + partition->ContentHash(TableId{t}));
    }
  }
  return hash;
}

// The epoch in which a log has the entry before that number.
std::uint64_t EpochBefore(const server::LaneHistory& log, std::uint64_t end) {
  std::uint64_t epoch = 0;
  for (const EpochStart& start : log.epochs) {
    if (start.first < end) epoch = start.epoch;
  }
  return epoch;
}

}  // namespace

server::LogKeeping SimReplicas::Keeping() const {
  return {.keep = keeps_history_ ? absl::Hours(1'000'000) : absl::ZeroDuration()};
}

void SimReplicas::NoteMoment(const server::ReplicaCore& place) {
  const server::LaneCore* const lane = place.lane();
  if (!keeps_history_ || !place.leads() || lane == nullptr || lane->log_end() == 0) return;
  if (Mix64(++steps_) % 16 != 0) return;
  moments_.push_back(
      {.lane = place.lane_node(),
       .era = lane->epoch(),
       .epoch = place.epoch(),
       .end = lane->log_end(),
       .time_us = lane->time_us(),
       .hash = HashOf(*lane, static_cast<std::uint32_t>(workers_map_->lane_of.size()))});
}

// What a leader had at a moment, every log has that has it, if that leader's entries came to be.
std::string SimReplicas::CompareMoments() {
  std::vector<BlobStore*> stores;
  for (std::size_t s = 0; s < servers_.size(); ++s) {
    if (KeepsLog(s)) stores.push_back(servers_[s].disk.get());
  }
  const auto kept = checkpoint::ReadKeptLogs(stores);
  if (!kept.ok()) return kept.status().ToString();
  for (const checkpoint::KeptEra& era : kept->eras) {
    const std::string wrong = CompareEra(era, &era == &kept->eras.back());
    if (!wrong.empty()) return wrong;
  }
  return "";
}

std::string SimReplicas::CompareEra(const checkpoint::KeptEra& era, bool is_newest) {
  if (is_newest && !era.missing.empty()) return "a lane has no log of the newest era";
  for (const checkpoint::KeptLane& lane : era.lanes) {
    const auto replicas = ReplicasOf(lane.lane);
    if (is_newest && lane.end() != replicas[0]->lane()->log_end()) {
      return absl::StrCat("lane ", static_cast<std::uint32_t>(lane.lane), ": the logs end at ",
                          lane.end(), ", its leader at ", replicas[0]->lane()->log_end(),
                          Describe());
    }
    for (const Moment& moment : moments_) {
      const server::LaneHistory& judge = lane.logs.front().history;
      if (moment.lane != lane.lane || moment.era != era.epoch || moment.end > lane.end()) continue;
      if (EpochBefore(judge, moment.end) != moment.epoch) continue;  // They were lost.
      for (const checkpoint::KeptLog& log : lane.logs) {
        if (moment.end < log.history.begin || moment.end > log.end) continue;
        server::LogPart part{.end = moment.end};
        for (const server::HistoryBase& base : log.history.bases) {
          if (base.end <= moment.end) part.base = base.end;
        }
        const auto read = server::ReplayLane(*log.store, log.history.prefix, lane.lane, part);
        if (!read.ok()) return read.status().ToString();
        ++remade_;
        if (read->core->log_end() == moment.end && read->core->time_us() == moment.time_us &&
            HashOf(*read->core, static_cast<std::uint32_t>(workers_map_->lane_of.size())) ==
                moment.hash) {
          continue;
        }
        return absl::StrCat("lane ", static_cast<std::uint32_t>(lane.lane), ": log ",
                            log.history.prefix, " before record ", moment.end, " of ",
                            read->core->log_end(), " is not what its leader had in epoch ",
                            moment.epoch, " at ", moment.time_us,
                            ", or its time is not: ", read->core->time_us(), Describe());
      }
    }
  }
  return "";
}

bool SimReplicas::IsSettled() const {
  const ClusterMap& map = coordinator_->state().map;
  if (workers_map_->version != map.version || !coordinator_->state().moves.empty()) return false;
  if (keep_logs_ && !AreSynced()) return false;
  for (const Server& server : servers_) {
    if (server.places.empty() || server.map == nullptr || server.map->version != map.version) {
      return false;
    }
    for (const auto& place : server.places) {
      if (place->lane_node() == NodeId{}) continue;
      if (place->wanted()) return false;
      if (place->lane() == nullptr || place->lane()->epoch() != map.epoch) return false;
      if (!place->leads() && place->role() != ReplicaRole::kFollower &&
          place->role() != ReplicaRole::kReader) {
        return false;
      }
    }
  }
  return std::ranges::all_of(map.lanes, [&](NodeId lane) {
    const auto replicas = ReplicasOf(lane);
    return std::ranges::all_of(replicas, [&](const server::ReplicaCore* replica) {
      return replica->lane() != nullptr &&
             replica->lane()->log_end() == replicas[0]->lane()->log_end();
    });
  });
}

std::string SimReplicas::Describe() const {
  const ClusterMap& map = coordinator_->state().map;
  std::string text = absl::StrCat("; map ", map.version, ", workers' ", workers_map_->version);
  for (std::size_t s = 0; s < servers_.size(); ++s) {
    const Server& server = servers_[s];
    absl::StrAppend(&text, "\n  server ", s, server.places.empty() ? " is down" : " by map ",
                    server.map == nullptr ? 0 : server.map->version);
    for (std::size_t i = 0; i < server.places.size(); ++i) {
      const server::ReplicaCore& place = *server.places[i];
      absl::StrAppend(&text, "\n    lane ", static_cast<std::uint32_t>(place.lane_node()), " role ",
                      static_cast<int>(place.role()), " (map ",
                      s < map.servers.size() ? static_cast<int>(map.servers[s].lanes[i].role) : -1,
                      ") epoch ", place.epoch(), " entries ",
                      place.lane() == nullptr ? 0 : place.lane()->log_end(), " ", place.problem());
    }
  }
  return text;
}

// The leader first.
std::vector<const server::ReplicaCore*> SimReplicas::ReplicasOf(NodeId lane) const {
  std::vector<const server::ReplicaCore*> replicas;
  for (const Server& server : servers_) {
    for (const auto& place : server.places) {
      if (place->lane_node() == lane) replicas.push_back(place.get());
    }
  }
  std::stable_partition(replicas.begin(), replicas.end(),
                        [](const auto* replica) { return replica->leads(); });
  return replicas;
}

const server::PartitionCore& SimReplicas::Leader(PartitionId partition) const {
  const NodeId lane =
      workers_map_->lanes[workers_map_->lane_of[static_cast<std::size_t>(partition)]];
  return *ReplicasOf(lane)[0]->lane()->FindPartition(partition);
}

std::string SimReplicas::CompareReplicas() {
  for (const NodeId lane : workers_map_->lanes) {
    const auto replicas = ReplicasOf(lane);
    const auto readers = static_cast<std::uint32_t>(
        std::ranges::count(workers_map_->servers, true, server::IsReader));
    if (replicas.size() != workers_map_->replicas + readers) {
      return absl::StrCat("lane ", static_cast<std::uint32_t>(lane), " has ", replicas.size(),
                          " replicas");
    }
    for (std::uint32_t p = 0; p < workers_map_->lane_of.size(); ++p) {
      const server::PartitionCore* const leads = replicas[0]->lane()->FindPartition(PartitionId{p});
      if (leads == nullptr) continue;
      const std::string want = StateOf(*leads);
      for (const server::ReplicaCore* replica : replicas) {
        const std::string got = StateOf(*replica->lane()->FindPartition(PartitionId{p}));
        if (got != want) {
          return absl::StrCat("partition ", p, ": a follower has\n  ", got, "\nand its leader\n  ",
                              want, Describe());
        }
      }
    }
  }
  if (!keep_logs_) return "";
  const std::string wrong = CompareLogs();
  return wrong.empty() && keeps_history_ ? CompareMoments() : wrong;
}

// All end now, and what their logs have is what they had.
std::string SimReplicas::CompareLogs() {
  for (std::size_t s = 0; s < servers_.size(); ++s) {
    if (!KeepsLog(s)) continue;
    const auto found =
        server::OpenServerLog(*servers_[s].disk, absl::StrCat("s", s), 1, 0, Keeping());
    if (!found.ok()) return found.status().ToString();
    for (const auto& place : servers_[s].places) {
      if (place->lane_node() == NodeId{}) continue;
      const auto logged =
          std::ranges::find(found->lanes, place->lane_node(), &server::LoggedLane::lane);
      if (logged == found->lanes.end())
        return absl::StrCat("server ", s, " has no log", Describe());
      for (std::uint32_t p = 0; p < workers_map_->lane_of.size(); ++p) {
        const server::PartitionCore* const has = place->lane()->FindPartition(PartitionId{p});
        if (has == nullptr) continue;
        const std::string want = StateOf(*has);
        const std::string got = StateOf(*logged->recovered.core->FindPartition(PartitionId{p}));
        if (got == want) continue;
        return absl::StrCat("partition ", p, ": the log of server ", s, " has\n  ", got,
                            "\nand the server\n  ", want, Describe());
      }
    }
  }
  return "";
}

}  // namespace longtail::sim
