// Which rows a table gives up. Off by default: the tail is the point.
//
// Rows are looked at in sweeps: each step that a partition ends looks at the next 1 / sweep_steps
// of the hashes, so no request waits for a whole table, and which rows go depends on nothing but
// the rows and the number of the step. A key whose row was evicted starts clean when it is pushed
// again: weights, state and count.
#pragma once

#include <cstdint>

namespace longtail {

/// What a push does that needs a new row in a table whose budget is used up. The order is part of
/// stored formats: append only.
enum class BudgetPolicy : std::uint8_t {
  kRefuse = 0,       ///< The key gets no row; it is counted.
  kEvictLowest = 1,  ///< Of about 16 rows that lie near the key's hash, the one with the lowest
                     ///< score goes. Sampled, as a whole ranking would cost a pass.
};

/// Why a row was evicted: the first of these that held. The order is part of stored formats:
/// append only.
enum class EvictionReason : std::uint8_t {
  kIdle = 0,    ///< idle_steps
  kScore = 1,   ///< min_score
  kNorm = 2,    ///< min_norm
  kBudget = 3,  ///< The lowest score among neighbours of a new row, under budget_bytes.
};

struct EvictionSpec {
  /// A row goes that was not pushed for more than this many steps; 0: none does.
  std::uint32_t idle_steps = 0;

  /// A row goes whose score is below this; 0: none does. The score of a row is its count, halved
  /// once for each `half_life` steps since it was last pushed.
  std::uint32_t min_score = 0;
  std::uint32_t half_life = 0;  ///< In steps; 0: a score is the count.

  /// A row goes whose weights' Euclidean norm is below this; 0: none does.
  float min_norm = 0.0F;

  /// In so many steps every row is looked at once; 1..2^24.
  std::uint32_t sweep_steps = 1024;

  /// Bytes that the rows of one partition may take: values, headers, and 6 for a row's place in
  /// the index. 0: no bound; otherwise at least 64 KiB and two rows.
  std::uint64_t budget_bytes = 0;
  BudgetPolicy budget_policy = BudgetPolicy::kRefuse;

  bool operator==(const EvictionSpec&) const = default;

  /// Whether sweeps have anything to look for.
  bool sweeps() const { return idle_steps != 0 || min_score != 0 || min_norm > 0; }
};

}  // namespace longtail
