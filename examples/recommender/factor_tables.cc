#include "examples/recommender/factor_tables.h"

#include "base/random.h"
#include "base/status_macros.h"
#include "examples/common/data/feature_key.h"

namespace longtail::examples::recommender {
namespace {

std::vector<Key> KeysOf(const IdTable& ids, std::string_view field) {
  const std::uint64_t seed = FieldSeed(field);
  std::vector<Key> keys(ids.size());
  for (std::uint32_t i = 0; i < ids.size(); ++i) keys[i] = FeatureKey(seed, ids.name(i));
  return keys;
}

}  // namespace

absl::StatusOr<FactorTables> MakeTables(const RecommenderConfig& config, Cluster& cluster) {
  TableSpec spec{.dim = config.model.row_dim(),
                 .optimizer = config.optimizer,
                 .initializer = config.initializer,
                 .linear_columns = config.model.bias_columns()};
  FactorTables tables;
  // A seed of its own for each table: an item's row and its history row differ.
  const auto make = [&](const char* name, std::uint64_t number) {
    spec.name = name;
    spec.seed = RandomBits(config.seed, 0x7461626c65, number);
    return cluster.CreateTable(spec);
  };
  if (config.model.user_row) {
    LONGTAIL_ASSIGN_OR_RETURN(tables.users, make(kUserTable, 0));
  }
  LONGTAIL_ASSIGN_OR_RETURN(tables.items, make(kItemTable, 1));
  if (config.model.history == History::kOwn) {
    LONGTAIL_ASSIGN_OR_RETURN(tables.history, make(kHistoryTable, 2));
  }
  return tables;
}

FactorKeys::FactorKeys(const Names& names)
    : users(KeysOf(names.users, "user")), items(KeysOf(names.items, "item")) {}

}  // namespace longtail::examples::recommender
