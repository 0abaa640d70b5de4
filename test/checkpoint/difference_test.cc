#include "checkpoint/difference.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <vector>

#include "checkpoint/checkpoint_builder.h"
#include "sim/memory_store.h"

namespace longtail::checkpoint {
namespace {

using test::BuiltRows;
using test::CheckpointBuilder;
using test::Must;

struct Fixture {
  Fixture() {
    before.name = "before";
    after.name = "after";
  }

  CheckpointDifference Difference(std::size_t keys_max = 0) {
    return Must(Compare(store, before.Write(store), after.Write(store), keys_max));
  }
  TableDifference Table(const std::string& name, std::size_t keys_max = 0) {
    for (TableDifference& table : Difference(keys_max).tables) {
      if (table.name == name) return table;
    }
    FAIL("no table " << name);
    return {};
  }

  sim::MemoryStore store;
  CheckpointBuilder before = test::ThreeTables();
  CheckpointBuilder after = test::ThreeTables();
};

TEST_CASE_METHOD(Fixture, "equal checkpoints do not differ, whatever their partitions and chunks",
                 "[checkpoint][difference]") {
  after.partitions = GENERATE(1U, 4U, 32U);
  after.chunk_bytes = 5000;
  const CheckpointDifference difference = Difference(10);

  CHECK(difference.is_equal());
  REQUIRE(difference.tables.size() == 3);
  CHECK(difference.tables[0].equal == 150);
  CHECK(difference.tables[1].equal == 90);
  CHECK(difference.tables[2].equal == 6);
  CHECK(difference.tables[0].changed_rows.empty());
}

TEST_CASE_METHOD(Fixture, "known changes are counted and the largest ones named",
                 "[checkpoint][difference]") {
  after.partitions = 8;
  BuiltRows& rows = after.tables[0].rows;
  std::vector<Key> keys;
  for (const auto& [key, row] : rows) keys.push_back(key);
  rows.erase(keys[10]);
  rows.erase(keys[20]);
  rows[12345] = {.count = 1, .last_step = 12, .values = {1, 2, 3, 4, 5, 6}};
  rows[keys[30]].values[1] = before.tables[0].rows[keys[30]].values[1] + 64;  // Exact floats.
  rows[keys[40]].values[2] = before.tables[0].rows[keys[40]].values[2] - 256;
  rows[keys[50]].values[5] = before.tables[0].rows[keys[50]].values[5] + 1024;  // State.
  rows[keys[60]].count += 1;
  rows[keys[70]].last_step += 1;

  const TableDifference all = Table("item", 100);

  CHECK_FALSE(all.is_equal());
  CHECK(all.added == 1);
  CHECK(all.removed == 2);
  CHECK(all.changed == 5);
  CHECK(all.equal == 150 - 2 - 5);
  CHECK(all.weights_max == Approx(256).epsilon(1e-6));
  CHECK(all.state_max == Approx(1024).epsilon(1e-6));
  CHECK(all.added_keys == std::vector<Key>{12345});
  CHECK(all.removed_keys.size() == 2);
  REQUIRE(all.changed_rows.size() == 5);
  CHECK(all.changed_rows[0].key == keys[40]);
  CHECK(all.changed_rows[1].key == keys[30]);
  CHECK(all.changed_rows[2].difference == 0);

  const TableDifference two = Table("item", 2);
  REQUIRE(two.changed_rows.size() == 2);
  CHECK(two.changed_rows[0] == all.changed_rows[0]);
  CHECK(two.changed_rows[1] == all.changed_rows[1]);
  CHECK(two.removed_keys == all.removed_keys);
  CHECK(Table("item").removed_keys.empty());
  CHECK(Table("user").is_equal());
}

TEST_CASE_METHOD(Fixture, "any changes are counted as a plain map counts them",
                 "[checkpoint][difference]") {
  const std::uint64_t seed = GENERATE(range<std::uint64_t>(0, 20));
  CAPTURE(seed);
  Rng rng(seed);
  const std::uint32_t partitions[] = {1, 2, 4, 16};
  before.partitions = partitions[rng.Below(4)];
  after.partitions = partitions[rng.Below(4)];
  BuiltRows& from = before.tables[1].rows;
  BuiltRows& to = after.tables[1].rows;
  for (BuiltRows* rows : {&from, &to}) {
    for (auto row = rows->begin(); row != rows->end();) {
      if (rng.Below(4) == 0) {
        row = rows->erase(row);
        continue;
      }
      if (rng.Below(3) == 0) row->second.values[rng.Below(2)] += rng.Uniform(-3, 3);
      ++row;
    }
  }
  TableDifference want{.name = "user"};
  for (const auto& [key, row] : from) {
    const auto other = to.find(key);
    if (other == to.end()) {
      ++want.removed;
    } else if (other->second == row) {
      ++want.equal;
    } else {
      ++want.changed;
      for (std::size_t i = 0; i < 2; ++i) {
        want.weights_max = std::max(
            want.weights_max, std::abs(double{row.values[i]} - double{other->second.values[i]}));
      }
    }
  }
  want.added = to.size() - want.changed - want.equal;

  const TableDifference found = Table("user", 1);

  CHECK(found.added == want.added);
  CHECK(found.removed == want.removed);
  CHECK(found.changed == want.changed);
  CHECK(found.equal == want.equal);
  CHECK(found.weights_max == want.weights_max);
  if (want.changed > 0) CHECK(found.changed_rows.at(0).difference == want.weights_max);
}

TEST_CASE_METHOD(Fixture, "a change to what is not finite is an infinite difference",
                 "[checkpoint][difference]") {
  const auto inf = std::numeric_limits<float>::infinity();
  const auto nan = std::numeric_limits<float>::quiet_NaN();
  before.tables[1].rows[5] = {.count = 1, .last_step = 1, .values = {nan, inf}};
  after.tables[1].rows[5] = before.tables[1].rows[5];
  CHECK(Table("user").is_equal());

  after.tables[1].rows[5].values[0] = 1;
  CHECK(std::isinf(Table("user").weights_max));
}

TEST_CASE_METHOD(Fixture, "tables that one has, and specs that differ, are told",
                 "[checkpoint][difference]") {
  before.tables.erase(before.tables.begin() + 2);
  after.tables[0].spec.seed += 1;
  after.tables[1].spec.dim = 1;
  after.tables[1].value_count = 1;
  for (auto& [key, row] : after.tables[1].rows) row.values.resize(1);
  after.tables.erase(after.tables.begin());
  before.tables[0].spec.name = "only_before";

  const CheckpointDifference difference = Difference();

  REQUIRE(difference.tables.size() == 3);
  CHECK(difference.tables[0].name == "only_before");
  CHECK_FALSE(difference.tables[0].is_in_second);
  CHECK(difference.tables[0].removed == 150);
  CHECK(difference.tables[1].name == "user");
  CHECK_FALSE(difference.tables[1].has_equal_specs);
  CHECK(difference.tables[1].changed == 90);
  CHECK(difference.tables[1].weights_max == 0);
  CHECK(difference.tables[2].name == "rare");
  CHECK_FALSE(difference.tables[2].is_in_first);
  CHECK(difference.tables[2].added == 6);
  CHECK_FALSE(difference.is_equal());
}

TEST_CASE_METHOD(Fixture, "entries of the trainer's state that differ are named",
                 "[checkpoint][difference]") {
  after.trainer["position"] = "3 0 999";
  after.trainer["new"] = "x";
  before.trainer["old"] = "y";

  CHECK(Difference().trainer == std::vector<std::string>{"new", "old", "position"});
  CHECK_FALSE(Difference().is_equal());
}

}  // namespace
}  // namespace longtail::checkpoint
