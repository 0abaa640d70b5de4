// What a table is: how wide its rows are, how they start and how they learn.
//
// A TableSpec is part of the cluster's contract: every server and worker of one cluster holds an
// equal one, and checkpoints name its fingerprint.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "longtail/eviction_spec.h"
#include "longtail/initializer_spec.h"
#include "longtail/optimizer_spec.h"
#include "longtail/row_format.h"

namespace longtail {

/// What the rows of a table are.
enum class TableKind : std::uint8_t {
  kWeights = 0,  ///< dim floats that an optimizer moves: Worker::Pull, Push.
  kCounts = 1,   ///< Whole numbers in dim columns, of which those are kept that are not zero:
                 ///< Worker::PullCounts, PushCounts (longtail/count_rows.h).
};

struct TableSpec {
  std::string name{};     ///< Also a metric label: [a-z][a-z0-9_]*, at most 64 characters.
  std::uint32_t dim = 0;  ///< Weights of a row, 1..4096; columns of a count table, 1..2^20.
  OptimizerSpec optimizer{};
  InitializerSpec initializer = ConstantSpec{};
  std::uint64_t seed = 0;  ///< With the key and the column, decides a row's initial values.
  std::uint32_t linear_columns = 0;  ///< The first columns of a row that start at 0 whatever the
                                     ///< initializer says, such as the first-order weights of a
                                     ///< factorization machine that are kept with its vectors.
  RowFormat format{};                ///< How rows are kept.
  TailSpec tail{};                   ///< How rarely seen rows are kept, if not like all others.
  EvictionSpec eviction{};           ///< Which rows are given up; none by default.
  /// A count table has name, dim and kind, and everything else as it is by default.
  TableKind kind = TableKind::kWeights;

  bool operator==(const TableSpec&) const = default;
};

/// Checks what can be checked without a cluster.
///
/// Errors: InvalidArgument that names the table, the first field that is wrong, its value and what
///         was wanted.
[[nodiscard]] absl::Status Validate(const TableSpec& spec);

/// Whether a spec says anything that the first version of its stored form cannot: something about
/// frequencies, formats, the tail, eviction or its kind.
inline bool UsesLaterFields(const TableSpec& spec) {
  return spec.optimizer.frequency != FrequencySpec{} || spec.format != RowFormat{} ||
         spec.tail != TailSpec{} || spec.eviction != EvictionSpec{} ||
         spec.kind != TableKind::kWeights;
}

/// A hash of every field: equal for equal specs on every machine, different for different ones but
/// for a chance of 2^-64.
std::uint64_t Fingerprint(const TableSpec& spec);

}  // namespace longtail
