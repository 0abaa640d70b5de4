#include "sim/ledger.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace longtail::sim {
namespace {

// Each push counts so many occurrences of each of its keys.
constexpr std::uint64_t kOccurrences = 2;

void Subtract(const Sums& gradients, FoundRows& rows) {
  for (const auto& [name, gradient] : gradients) {
    FoundRow& row = rows[name];
    row.sum -= gradient;
    row.count -= kOccurrences;
    if (row == FoundRow{}) rows.erase(name);
  }
}

}  // namespace

void Ledger::Pushed(SessionId session, std::uint64_t call, std::uint64_t step,
                    PartitionId partition, Sums gradients) {
  workers_[session].ops.push_back(
      {.call = call, .step = step, .partition = partition, .gradients = std::move(gradients)});
}

// An acknowledged op was admitted, and so were those with lower sequence numbers.
void Ledger::Acknowledged(SessionId session, std::uint64_t call) {
  std::vector<Op>& ops = workers_[session].ops;
  for (const Op& op : ops) {
    if (op.call != call) continue;
    for (Op& before : ops) {
      if (before.partition == op.partition && before.call <= call) before.is_certain = true;
    }
  }
}

std::string Ledger::CheckPull(
    std::uint64_t step, std::optional<std::uint64_t> staleness,
    const std::vector<std::pair<RowName, std::vector<float>>>& rows) const {
  const bool is_bounded = map_.step_mode == StepMode::kBoundedStaleness;
  if (map_.step_mode != StepMode::kAsynchronous) {
    const std::uint64_t bound = is_bounded ? map_.staleness : 0;
    if (!staleness) return "nobody counted how stale it is";
    if (*staleness > bound) return absl::StrCat(*staleness, " steps stale: want at most ", bound);
    for (const auto& [session, worker] : workers_) {
      if (worker.is_gone || worker.ended + *staleness >= step) continue;
      return absl::StrCat("told that it lacks ", *staleness, " steps, but session ",
                          static_cast<std::uint64_t>(session), " has ended ", worker.ended,
                          " alone");
    }
  }
  for (const auto& [name, row] : rows) {
    std::string wrong = CheckRow(step, staleness.value_or(step), name, row);
    if (!wrong.empty()) return wrong;
  }
  return "";
}

// All that must be there is, and nothing that may not be.
std::string Ledger::CheckRow(std::uint64_t step, std::uint64_t staleness, const RowName& name,
                             const std::vector<float>& row) const {
  const auto begin = begin_.find(name);
  std::int64_t least = begin == begin_.end() ? 0 : begin->second.sum;
  std::int64_t most = least;
  for (const auto& [session, worker] : workers_) {
    for (const Op& op : worker.ops) {
      const auto found = op.gradients.find(name);
      if (found == op.gradients.end()) continue;
      const bool may_be = map_.step_mode != StepMode::kSynchronous || op.step < step;
      const bool must_be = op.step + staleness < step && (!worker.is_dead || op.is_certain);
      if (may_be) most += found->second;
      if (must_be) least += found->second;
    }
  }
  const std::int64_t sum = kRowStart - static_cast<std::int64_t>(row[0]);
  bool is_right = least <= sum && sum <= most;
  for (std::size_t c = 0; c < row.size(); ++c) {
    is_right &= row[c] == static_cast<float>(kRowStart - sum * static_cast<std::int64_t>(c + 1));
  }
  if (is_right) return "";
  return absl::StrCat("table ", name.first, " key ", name.second, ": ", row[0],
                      " in its first column of ", row.size(), ": want ", kRowStart - most, " to ",
                      kRowStart - least, ", and the others to fit");
}

bool Ledger::MayHold(PartitionId partition, const FoundRows& rows) const {
  FoundRows rest = rows;
  const auto partitions = static_cast<std::uint32_t>(map_.lane_of.size());
  for (const auto& [name, begin] : begin_) {
    if (PartitionOf(name.second, partitions) != partition) continue;
    FoundRow& row = rest[name];
    row.sum -= begin.sum;
    row.count -= begin.count;
    if (row == FoundRow{}) rest.erase(name);
  }
  std::vector<std::vector<const Op*>> doubtful;  // By dead worker.
  for (const auto& [session, worker] : workers_) {
    if (worker.is_dead) doubtful.emplace_back();
    for (const Op& op : worker.ops) {
      if (op.partition != partition) continue;
      if (worker.is_dead && !op.is_certain) {
        doubtful.back().push_back(&op);
      } else {
        Subtract(op.gradients, rest);
      }
    }
  }
  return MayHold(std::move(rest), std::move(doubtful));
}

// Tries every number of first ops of each dead worker.
bool Ledger::MayHold(FoundRows rest, std::vector<std::vector<const Op*>> doubtful) const {
  if (doubtful.empty()) return rest.empty();
  const std::vector<const Op*> ops = std::move(doubtful.back());
  doubtful.pop_back();
  if (MayHold(rest, doubtful)) return true;
  return std::ranges::any_of(ops, [&](const Op* op) {
    Subtract(op->gradients, rest);
    return MayHold(rest, doubtful);
  });
}

}  // namespace longtail::sim
