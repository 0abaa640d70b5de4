// What workers did, kept by the one who sees all of them and knows nothing of the cores: which
// steps each has ended, what each has pushed, what of it was acknowledged. From that it says what a
// pull may show and what the tables must hold in the end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "protocol/cluster_map.h"

namespace longtail::sim {

/// Every row starts there, and moves down by whole gradients.
inline constexpr std::int64_t kRowStart = 3;

/// A row by table and key.
using RowName = std::pair<std::size_t, Key>;

/// Column c of a row is kRowStart less (c + 1) times the sum of its gradients.
using Sums = std::map<RowName, std::int64_t>;

/// A row of a partition as it is found in the end.
struct FoundRow {
  std::int64_t sum = 0;
  std::uint64_t count = 0;

  bool operator==(const FoundRow&) const = default;
};
using FoundRows = std::map<RowName, FoundRow>;

class Ledger {
 public:
  /// `begin`: rows that are there before anybody pushes.
  explicit Ledger(const ClusterMap& map, FoundRows begin = {})
      : map_(map), begin_(std::move(begin)) {}

  /// Nobody may be ahead of this worker further than the bound, from now until it leaves.
  void Came(SessionId session, std::uint64_t step) { workers_[session].ended = step; }
  void EndedStep(SessionId session) { ++workers_[session].ended; }
  void Left(SessionId session) { workers_[session].is_gone = true; }

  /// It will never tell what became of its pushes: those that were not acknowledged count once or
  /// not at all, in each partition the first ones.
  void Died(SessionId session) { workers_[session].is_dead = true; }

  void Pushed(SessionId session, std::uint64_t call, std::uint64_t step, PartitionId partition,
              Sums gradients);
  void Acknowledged(SessionId session, std::uint64_t call);

  /// A pull of a worker in `step` was answered with these rows; `staleness` is what it was told,
  /// none in asynchronous mode. Returns what is wrong, or nothing.
  std::string CheckPull(std::uint64_t step, std::optional<std::uint64_t> staleness,
                        const std::vector<std::pair<RowName, std::vector<float>>>& rows) const;

  /// Whether a partition may hold these rows when all workers are gone.
  bool MayHold(PartitionId partition, const FoundRows& rows) const;

 private:
  // What one push did in one partition: an op of the partition's log.
  struct Op {
    std::uint64_t call = 0;
    std::uint64_t step = 0;
    PartitionId partition{};
    Sums gradients;
    bool is_certain = false;  // It counts, though its worker is dead.
  };
  struct Worker {
    std::uint64_t ended = 0;
    bool is_gone = false;
    bool is_dead = false;
    std::vector<Op> ops;  // In the order of their sequence numbers, in each partition.
  };

  std::string CheckRow(std::uint64_t step, std::uint64_t staleness, const RowName& name,
                       const std::vector<float>& row) const;
  bool MayHold(FoundRows rest, std::vector<std::vector<const Op*>> doubtful) const;

  const ClusterMap& map_;
  const FoundRows begin_;
  std::map<SessionId, Worker> workers_;
};

}  // namespace longtail::sim
