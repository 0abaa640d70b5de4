// The audit of a cluster's evictions names the keys that are gone, and no other.
#include <algorithm>
#include <catch2/catch.hpp>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "server/cluster_fixture.h"
#include "server/scratch_directory.h"

namespace longtail {
namespace {

using test::Must;

constexpr Key kKeys = 4000;

struct Line {
  std::string table;
  Key key = 0;
  std::string reason;
  std::uint64_t count = 0;
  std::uint64_t last_step = 0;
  std::uint64_t step = 0;
};

// The lines of all lanes of an audit.
std::vector<Line> LinesOf(const std::string& directory, std::uint32_t lanes) {
  std::vector<Line> lines;
  for (std::uint32_t lane = 0; lane < lanes; ++lane) {
    std::ifstream file(directory + "/lane-00" + std::to_string(lane) + ".tsv");
    std::string text;
    REQUIRE(std::getline(file, text));
    CHECK(text == "table\tkey\treason\tcount\tlast_step\tstep");
    while (std::getline(file, text)) {
      std::istringstream fields(text);
      Line& line = lines.emplace_back();
      fields >> line.table >> line.key >> line.reason >> line.count >> line.last_step >> line.step;
      REQUIRE(fields);
    }
  }
  return lines;
}

TableSpec IdleSpec() {
  TableSpec spec = test::ExactSpec("idle", 2);
  spec.eviction = {.idle_steps = 3, .sweep_steps = 2};
  return spec;
}

TableSpec BudgetSpec() {
  TableSpec spec = test::ExactSpec("budget", 24);
  spec.eviction = {.budget_bytes = 64 * 1024, .budget_policy = BudgetPolicy::kEvictLowest};
  return spec;
}

// Twelve steps: in step s the keys with key % 12 >= s are trained in "idle", each once, and new
// keys in "budget".
void Train(Cluster& cluster) {
  const TableId idle = Must(cluster.CreateTable(IdleSpec()));
  const TableId budget = Must(cluster.CreateTable(BudgetSpec()));
  const auto worker = Must(cluster.Connect());
  for (Key step = 0; step < 12; ++step) {
    std::vector<Key> keys;
    std::vector<Key> new_keys;
    for (Key key = 0; key < kKeys; ++key) {
      if (key % 12 >= step) keys.push_back(key);
      if (key % 12 == step) new_keys.push_back(key);
    }
    Must(worker->Push(idle, keys, std::vector<float>(2 * keys.size(), 1)));
    Must(worker->Push(budget, new_keys, std::vector<float>(24 * new_keys.size(), 1)));
    Must(worker->EndStep());
  }
}

std::set<Key> KeysWithRows(Cluster& cluster, const char* name, std::uint32_t dim) {
  const TableId table = Must(cluster.FindTable(name));
  const auto worker = Must(cluster.Connect());
  std::vector<Key> keys(kKeys);
  for (Key key = 0; key < kKeys; ++key) keys[key] = key;
  // Every row was pushed, so none is as new ones are.
  const std::vector<float> rows = test::Rows(*worker, table, keys, dim);
  const float begins = test::Rows(*worker, table, {kKeys}, dim)[0];
  std::set<Key> with_rows;
  for (Key key = 0; key < kKeys; ++key) {
    if (rows[key * dim] != begins) with_rows.insert(key);
  }
  return with_rows;
}

TEST_CASE("an audit has a line for every key that went, with what its row was",
          "[server][eviction_audit]") {
  const StepMode mode = GENERATE(StepMode::kSynchronous, StepMode::kAsynchronous);
  const std::uint32_t lanes = GENERATE(1U, 3U);
  CAPTURE(mode, lanes);
  const test::ScratchDirectory directory;
  const std::string audit = directory.path() + "/runs/audit";
  const auto cluster = Must(Cluster::Embedded(
      {.lanes = lanes, .partitions = 4, .step_mode = mode, .eviction_audit = audit}));
  Train(*cluster);

  // Already: nothing is told of a step before the lines of what it evicted are written.
  std::map<std::string, std::set<Key>> gone;
  std::map<std::string, std::uint64_t> by_reason;
  for (const Line& line : LinesOf(audit, lanes)) {
    CAPTURE(line.table, line.key, line.reason);
    CHECK(gone[line.table].insert(line.key).second);
    ++by_reason[line.reason];
    CHECK(line.last_step == line.key % 12);
    CHECK(line.count == (line.table == "idle" ? line.key % 12 + 1 : 1));
    CHECK(line.step >= line.last_step);
    if (line.table == "idle") CHECK(line.step > line.last_step + 3);
    if (line.table == "idle") CHECK(line.step <= line.last_step + 3 + 2 + 1);
  }

  for (const auto& [name, dim] : {std::pair("idle", 2U), std::pair("budget", 24U)}) {
    CAPTURE(name);
    const std::set<Key> left = KeysWithRows(*cluster, name, dim);
    const std::set<Key>& of_table = gone[name];
    CHECK_FALSE(of_table.empty());
    CHECK(of_table.size() + left.size() == kKeys);
    CHECK(std::ranges::none_of(left, [&](Key key) { return of_table.contains(key); }));
  }
  std::uint64_t idle = 0;
  std::uint64_t budget = 0;
  for (const TableReport& table : Must(cluster->AllStatistics())) {
    idle += table.statistics.evicted_idle;
    budget += table.statistics.evicted_budget;
  }
  CHECK(by_reason == std::map<std::string, std::uint64_t>{{"idle", idle}, {"budget", budget}});
  CHECK(cluster->unaudited_evictions() == 0);
}

TEST_CASE("the audit changes nothing, and no audit is kept unless it is wanted",
          "[server][eviction_audit]") {
  const test::ScratchDirectory directory;
  const auto with = Must(Cluster::Embedded(
      {.partitions = 4, .step_mode = StepMode::kSynchronous, .eviction_audit = directory.path()}));
  const auto without =
      Must(Cluster::Embedded({.partitions = 4, .step_mode = StepMode::kSynchronous}));
  Train(*with);
  Train(*without);
  CHECK(Must(with->AllStatistics()) == Must(without->AllStatistics()));
  CHECK(without->unaudited_evictions() == 0);
}

TEST_CASE("an audit that cannot begin is refused", "[server][eviction_audit]") {
  const test::ScratchDirectory directory;
  std::ofstream(directory.path() + "/file") << "x";
  const auto status = Cluster::Embedded({.eviction_audit = directory.path() + "/file"}).status();
  CHECK(status.ToString().find("/file' is a file: want a directory") != std::string::npos);
}

}  // namespace
}  // namespace longtail
