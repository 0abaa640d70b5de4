// The tables of a recommender and the keys of its users and items in them.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "examples/recommender/dataset.h"
#include "examples/recommender/recommender_config.h"
#include "longtail/cluster.h"

namespace longtail::examples::recommender {

inline constexpr const char* kUserTable = "users";
inline constexpr const char* kItemTable = "items";
inline constexpr const char* kHistoryTable = "history";

struct FactorTables {
  TableId users{};  ///< If the model has user rows.
  TableId items{};
  TableId history{};  ///< Of History::kOwn.
};

/// Makes the tables, or finds them.
///
/// Errors: those of Cluster::CreateTable.
absl::StatusOr<FactorTables> MakeTables(const RecommenderConfig& config, Cluster& cluster);

/// The keys of a data set's users and items: hashes of their ids, so they do not depend on the file
/// they came from.
struct FactorKeys {
  explicit FactorKeys(const Names& names);
  std::vector<Key> users;  ///< [users]
  std::vector<Key> items;  ///< [items]
};

}  // namespace longtail::examples::recommender
