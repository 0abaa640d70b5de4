// A count table beside a map of maps, through random operations, exact.
#include <catch2/catch.hpp>
#include <map>
#include <string>
#include <vector>

#include "sparse/count_table.h"
#include "sparse/reference_counts.h"
#include "support/gen.h"

namespace longtail::sparse {
namespace {

using test::CountMap;
using test::ReferenceCounts;

TableSpec SpecOf(std::uint32_t dim) {
  return {.name = "topics", .dim = dim, .kind = TableKind::kCounts};
}

// The rows of a table, as the reference has them.
std::map<Key, CountMap> RowsOf(const CountTable& table) {
  std::map<Key, CountMap> rows;
  table.ForEachRow([&](const CountRowView& row) {
    REQUIRE(rows.emplace(row.key, test::UnpackedCounts(row.packed, table.dim())).second);
  });
  return rows;
}

class Pair {
 public:
  Pair(std::uint32_t dim, std::uint64_t seed) : table_(SpecOf(dim)), rng_(seed) {}

  // Of several keys at once, some of them more than once.
  void Push() {
    std::vector<Key> keys;
    std::string changes;
    std::uint64_t refused = 0;
    for (std::uint64_t n = 1 + rng_.Below(40); n > 0; --n) {
      keys.push_back(rng_.Below(200));
      const CountMap change = test::RandomChange(rng_, table_.dim());
      AppendSizedRow(AsBytes(test::PackedCounts(change, table_.dim())), changes);
      refused += reference_.Add(keys.back(), change) ? 0 : 1;
    }
    REQUIRE_FALSE(WrongSizedRows(AsBytes(changes), keys.size(), table_.dim()).has_value());
    REQUIRE(table_.Push(keys, AsBytes(changes)).refused_overflow == refused);
    refused_ += refused;
  }

  void Pull() {
    std::vector<Key> keys;
    for (std::uint64_t n = rng_.Below(50); n > 0; --n) keys.push_back(rng_.Below(300));
    std::string rows;
    table_.Pull(keys, rows);
    std::span<const std::byte> left = AsBytes(rows);
    for (const Key key : keys) {
      std::span<const std::byte> packed;
      REQUIRE(TakeSizedRow(left, packed));
      const auto want = reference_.rows.find(key);
      REQUIRE(test::UnpackedCounts(packed, table_.dim()) ==
              (want == reference_.rows.end() ? CountMap() : want->second));
    }
    REQUIRE(left.empty());
  }

  CountTable& table() { return table_; }
  const ReferenceCounts& reference() const { return reference_; }
  std::uint64_t refused() const { return refused_; }
  Rng& rng() { return rng_; }

 private:
  CountTable table_;
  ReferenceCounts reference_;
  Rng rng_;
  std::uint64_t refused_ = 0;
};

TEST_CASE("a count table is a map of maps", "[sparse][count_table]") {
  const std::uint32_t dim = GENERATE(1U, 2U, 7U, 100U, 5000U, 1U << 20);
  CAPTURE(dim);
  Pair pair(dim, dim);
  for (int i = 0; i < (dim > 5000 ? 8 : dim > 7 ? 60 : 400); ++i) {
    pair.Push();
    pair.Pull();
  }

  CHECK(RowsOf(pair.table()) == pair.reference().rows);
  CHECK(pair.table().row_count() == pair.reference().rows.size());
  CHECK(pair.table().Statistics().rows == pair.reference().rows.size());
  CHECK(pair.table().Statistics().non_finite_refused == pair.refused());
  if (dim <= 7) CHECK(pair.refused() > 0);
}

TEST_CASE("a cut shows a count table as it was, whatever is pushed meanwhile",
          "[sparse][count_table]") {
  Pair pair(60, 5);
  for (int i = 0; i < 50; ++i) pair.Push();
  for (int round = 0; round < 20; ++round) {
    const std::map<Key, CountMap> want = pair.reference().rows;
    pair.table().BeginCut();
    std::map<Key, CountMap> got;
    const auto take = [&](const CountRowView& row) {
      REQUIRE(got.emplace(row.key, test::UnpackedCounts(row.packed, 60)).second);
    };
    while (pair.table().VisitCut(1 + static_cast<std::uint32_t>(pair.rng().Below(9)),
                                 1 + pair.rng().Below(200), take)) {
      pair.Push();
    }
    CHECK(pair.table().cut_kept_bytes() == 0);
    pair.table().EndCut();
    CHECK(got == want);
  }
}

TEST_CASE("a cut of changes has the rows that changed since the mark it builds on",
          "[sparse][count_table]") {
  Pair pair(60, 8);
  for (int i = 0; i < 50; ++i) pair.Push();
  // What a chain of increments holds; and the one before the last, whose checkpoint may fail.
  std::map<Key, CountMap> held = pair.reference().rows;
  pair.table().MarkChanges();
  for (int round = 0; round < 30; ++round) {
    const bool failed = round % 3 == 2;  // The checkpoint of the last mark was never complete.
    for (std::uint64_t i = pair.rng().Below(4); i > 0; --i) pair.Push();
    const std::map<Key, CountMap> want = pair.reference().rows;
    std::map<Key, CountMap> now = held;
    if (failed) {
      pair.table().KeepChanges(ChangesSince::kMark);
      pair.table().MarkChanges();
      pair.Push();
    }
    const std::map<Key, CountMap> at_cut = pair.reference().rows;
    pair.table().KeepChanges(failed ? ChangesSince::kMarkBefore : ChangesSince::kMark);
    REQUIRE(pair.table().knows_changes());
    pair.table().BeginCutOfChanges();
    pair.table().MarkChanges();
    pair.Push();
    while (pair.table().VisitCut(16, 1 << 20, [&](const CountRowView& row) {
      now[row.key] = test::UnpackedCounts(row.packed, 60);
    })) {
    }
    pair.table().EndCut();
    CHECK(pair.table().gone().empty());
    CHECK(now == (failed ? at_cut : want));
    held = now;
  }
}

TEST_CASE("rows imported into another table, in any order, are the same table",
          "[sparse][count_table]") {
  Pair pair(300, 13);
  for (int i = 0; i < 80; ++i) pair.Push();
  CountTable other(SpecOf(300));
  std::vector<std::pair<Key, std::string>> rows;
  pair.table().ForEachRow(
      [&](const CountRowView& row) { rows.emplace_back(row.key, AsText(row.packed)); });
  for (auto row = rows.rbegin(); row != rows.rend(); ++row) {
    REQUIRE(other.Import({.key = row->first, .packed = AsBytes(row->second)}).ok());
    REQUIRE(other.Import({.key = row->first, .packed = AsBytes(row->second)}).ok());
  }

  CHECK(other.ContentHash() == pair.table().ContentHash());
  CHECK(other.Statistics().rows_by_count == pair.table().Statistics().rows_by_count);
}

}  // namespace
}  // namespace longtail::sparse
