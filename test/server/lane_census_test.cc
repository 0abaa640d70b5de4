// The census of a lane at rest is exact, however it is cut into parts; classes hold whole buckets.
#include "server/lane_census.h"

#include <catch2/catch.hpp>
#include <initializer_list>
#include <limits>
#include <numeric>

#include "longtail/statistics.h"

namespace longtail::server {
namespace {

TEST_CASE("classes of counts follow one another without a gap", "[census]") {
  CHECK(CountClassOf(0) == 0);
  CHECK(CountClassOf(100) == 100);
  CHECK(CountClassOf(101) == 101);
  CHECK(CountClassOf(127) == 101);
  CHECK(CountClassOf(128) == 102);
  CHECK(CountClassOf(std::numeric_limits<std::uint32_t>::max()) == kCountClasses - 1);
  for (std::size_t c = 0; c < kCountClasses; ++c) {
    CAPTURE(c);
    CHECK(CountClassOf(CountClassMin(c)) == c);
    if (c > 0) CHECK(CountClassOf(CountClassMin(c) - 1) == c - 1);
  }
}

TEST_CASE("every bucket of the reports is a whole number of classes", "[census]") {
  for (const FrequencyBucket& bucket : kFrequencyBuckets) {
    CAPTURE(bucket.name);
    CHECK(CountClassMin(CountClassOf(bucket.count_min)) == bucket.count_min);
    if (bucket.count_max != std::numeric_limits<std::uint32_t>::max()) {
      CHECK(CountClassMin(CountClassOf(bucket.count_max + 1)) == bucket.count_max + 1);
    }
  }
}

// A lane with two tables and some partitions, some rows of which were trained often.
class CensusLane {
 public:
  CensusLane() : lane_(Options()) {
    REQUIRE(lane_.BeginLoad({Spec("a"), Spec("b")}).ok());
    for (std::uint32_t i = 0; i < 3000; ++i) Add(0, i, i % 7 == 0 ? 1000 + i : i % 130);
    for (std::uint32_t i = 0; i < 10; ++i) Add(1, i, 5);
  }

  const LaneCore& lane() const { return lane_; }
  std::vector<std::pair<std::uint32_t, std::uint64_t>> Want(std::uint32_t table) const {
    std::vector<std::uint64_t> classes(kCountClasses);
    for (const std::uint32_t count : counts_[table]) ++classes[CountClassOf(count)];
    std::vector<std::pair<std::uint32_t, std::uint64_t>> want;
    for (std::size_t c = 0; c < kCountClasses; ++c) {
      if (classes[c] != 0) want.emplace_back(CountClassMin(c), classes[c]);
    }
    return want;
  }
  void Add(std::uint32_t table, Key key, std::uint32_t count) {
    const std::vector<Key> keys = {key};
    const std::vector<std::uint32_t> counts = {count};
    const std::vector<std::uint32_t> steps = {1};
    const std::vector<float> values(4, 1.0F);
    REQUIRE(lane_
                .LoadRows({.table = TableId{table},
                           .value_count = 4,
                           .keys = keys,
                           .counts = counts,
                           .last_steps = steps,
                           .values = values})
                .ok());
    counts_[table].push_back(count);
  }

 private:
  static LaneCore::Options Options() {
    LaneCore::Options options;
    options.self = NodeId{1};
    options.partition_count = 8;
    for (std::uint32_t p = 0; p < 8; ++p) options.partitions.push_back(PartitionId{p});
    return options;
  }
  static TableSpec Spec(const std::string& name) {
    TableSpec spec;
    spec.name = name;
    spec.dim = 4;
    spec.optimizer.rule = SgdSpec{};
    return spec;
  }

  LaneCore lane_;
  std::vector<std::uint32_t> counts_[2];
};

TEST_CASE("a round finds every row once, in whatever parts it is done", "[census]") {
  const CensusLane rows;
  for (const std::size_t places : std::initializer_list<std::size_t>{1'000'000, 1000, 7, 1}) {
    CAPTURE(places);
    LaneCensus census;
    CHECK(census.RowsByCount().empty());
    for (int round = 1; round <= 2; ++round) {
      while (census.rounds() < static_cast<std::uint64_t>(round)) {
        census.Advance(rows.lane(), places);
      }
      REQUIRE(census.RowsByCount().size() == 2);
      CHECK(census.RowsByCount()[0] == rows.Want(0));
      CHECK(census.RowsByCount()[1] == rows.Want(1));
    }
  }
}

TEST_CASE("what comes during a round is in the next one", "[census]") {
  CensusLane rows;
  LaneCensus census;
  census.Advance(rows.lane(), 100);
  for (std::uint32_t i = 0; i < 500; ++i) rows.Add(1, 1'000'000 + i, 2);
  while (census.rounds() < 2) census.Advance(rows.lane(), 100);
  CHECK(census.RowsByCount()[0] == rows.Want(0));
  CHECK(census.RowsByCount()[1] == rows.Want(1));
}

TEST_CASE("a lane without rows, and another one than before, are no trouble", "[census]") {
  LaneCensus census;
  LaneCore::Options options;
  options.self = NodeId{1};
  const LaneCore empty(options);
  census.Advance(empty, 10);
  CHECK(census.rounds() == 1);
  CHECK(census.RowsByCount().empty());
  const CensusLane rows;
  census.Advance(rows.lane(), 2000);
  census.Advance(empty, 2000);  // In the midst of the other.
  const std::uint64_t rounds = census.rounds();
  while (census.rounds() < rounds + 2) census.Advance(rows.lane(), 100);
  CHECK(census.RowsByCount()[0] == rows.Want(0));
}

TEST_CASE("a lane's counts are its statistics but for what needs every row", "[census]") {
  const CensusLane rows;
  const std::vector<TableStatistics> counts = rows.lane().TableCounts();
  REQUIRE(counts.size() == 2);
  TableStatistics want;
  for (std::size_t i = 0; i < 8; ++i) {
    want += rows.lane().partition(i).table(TableId{0}).Statistics();
  }
  want.hash = 0;
  want.rows_by_count.clear();
  CHECK(counts[0] == want);
  CHECK(counts[1].rows == 10);
}

}  // namespace
}  // namespace longtail::server
