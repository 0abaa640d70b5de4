// Rows of counts come back as they were, equal ones in equal bytes, and what is none is refused.
#include "base/count_row.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/random.h"

namespace longtail {
namespace {

constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();

std::vector<CountEntry> EntriesOf(const std::map<std::uint32_t, std::int64_t>& row) {
  std::vector<CountEntry> entries;
  for (const auto& [column, count] : row) entries.push_back({.column = column, .count = count});
  return entries;
}

std::map<std::uint32_t, std::int64_t> RandomRow(Rng& rng, std::uint32_t dim) {
  std::map<std::uint32_t, std::int64_t> row;
  const std::uint64_t n = rng.Below(2 * std::min<std::uint64_t>(dim, 60) + 1);
  const std::uint64_t bits = 1 + rng.Below(64);
  for (std::uint64_t i = 0; i < n; ++i) {
    const auto count = static_cast<std::int64_t>(rng.Next() >> (64 - bits));
    if (count != 0) row[static_cast<std::uint32_t>(rng.Below(dim))] = count;
  }
  return row;
}

std::string Packed(const std::vector<CountEntry>& entries, std::uint32_t dim) {
  std::string packed;
  AppendCountRow(entries, dim, packed);
  return packed;
}

std::string ProblemOf(const std::string& packed, std::uint32_t dim) {
  const char* wrong = VisitCountRow(AsBytes(packed), dim, [](std::uint32_t, std::int64_t) {});
  return wrong == nullptr ? "" : wrong;
}

TEST_CASE("rows come back as they were, in the smaller of the two forms", "[base][count_row]") {
  Rng rng(3);
  for (int i = 0; i < 2000; ++i) {
    const auto dim = static_cast<std::uint32_t>(1 + rng.Below(i % 3 == 0 ? 1U << 20 : 300));
    const std::vector<CountEntry> entries = EntriesOf(RandomRow(rng, dim));
    const std::string packed = Packed(entries, dim);
    std::vector<CountEntry> back;
    const char* wrong =
        VisitCountRow(AsBytes(packed), dim, [&](std::uint32_t column, std::int64_t count) {
          back.push_back({.column = column, .count = count});
        });
    REQUIRE(wrong == nullptr);
    REQUIRE(back == entries);
    std::size_t sparse = 1;
    std::size_t width = 1;
    std::uint32_t begin = 0;
    for (const CountEntry& entry : entries) {
      sparse += VarintBytes(entry.column - begin) +
                VarintBytes(ZigZag(static_cast<std::uint64_t>(entry.count)));
      width = std::max(width, CountWidth(entry.count));
      begin = entry.column + 1;
    }
    REQUIRE(packed.size() ==
            (entries.empty() ? 0 : std::min<std::size_t>(sparse, 1 + width * dim)));
  }
}

TEST_CASE("the largest row there may be comes back", "[base][count_row]") {
  std::vector<CountEntry> entries;
  for (std::uint32_t column = 0; column < kCountColumnsMax; ++column) {
    entries.push_back({.column = column, .count = column % 2 == 0 ? kMost : kLeast});
  }
  const std::string packed = Packed(entries, kCountColumnsMax);
  CHECK(packed.size() == kCountRowBytesMax);
  std::size_t same = 0;
  CHECK(VisitCountRow(AsBytes(packed), kCountColumnsMax,
                      [&](std::uint32_t column, std::int64_t count) {
                        same += entries[column].count == count ? 1 : 0;
                      }) == nullptr);
  CHECK(same == entries.size());
}

TEST_CASE("bytes that are no row, or not its only form, are refused", "[base][count_row]") {
  const auto text = [](std::initializer_list<int> bytes) {
    std::string out;
    for (const int byte : bytes) out.push_back(static_cast<char>(byte));
    return out;
  };
  CHECK(ProblemOf(text({0, 3, 2}), 100).empty());  // Column 3 is 1.
  CHECK(ProblemOf(text({3, 0, 0}), 2) == "a form that is none");
  CHECK(ProblemOf(text({0}), 100) == "a sparse row without a count");
  CHECK(ProblemOf(text({0, 3}), 100) == "a count that is no number");
  CHECK(ProblemOf(text({0, 3, 0}), 100) == "a count of 0");
  CHECK(ProblemOf(text({0, 100, 2}), 100) == "a column that is not below the table's dim");
  CHECK(ProblemOf(text({0, 50, 2, 49, 2}), 100) == "a column that is not below the table's dim");
  CHECK(ProblemOf(text({0, 127, 2}), 100) == "a column that is not below the table's dim");
  CHECK(ProblemOf(text({0, 128}), 100) == "a gap that is no number");
  CHECK(ProblemOf(text({0, 0, 2}), 2) == "a sparse row that is no larger as a dense one");
  CHECK(ProblemOf(text({1, 1, 0}), 2).empty());
  CHECK(ProblemOf(text({1, 1}), 2) == "a dense row that has not a count for each column");
  CHECK(ProblemOf(text({1, 1, 0, 0}), 3) == "a dense row that is smaller as a sparse one");
  CHECK(ProblemOf(text({2, 1, 0}), 1) == "a dense row in more bytes than it needs");
  CHECK(ProblemOf(text({1, 0}), 1) == "a dense row that is smaller as a sparse one");
}

TEST_CASE("random bytes are a row in one form or refused, never read past", "[base][count_row]") {
  Rng rng(7);
  std::size_t accepted = 0;
  for (int i = 0; i < 20'000; ++i) {
    const auto dim = static_cast<std::uint32_t>(1 + rng.Below(12));
    std::string bytes(rng.Below(14), '\0');
    for (char& byte : bytes) byte = static_cast<char>(rng.Below(rng.Below(2) == 0 ? 9 : 256));
    std::vector<CountEntry> entries;
    const char* wrong =
        VisitCountRow(AsBytes(bytes), dim, [&](std::uint32_t column, std::int64_t count) {
          REQUIRE(column < dim);
          entries.push_back({.column = column, .count = count});
        });
    if (wrong != nullptr) continue;
    ++accepted;
    REQUIRE(Packed(entries, dim) == bytes);
  }
  CHECK(accepted > 100);
}

TEST_CASE("sized rows follow one another, and what is around them is refused",
          "[base][count_row]") {
  const std::string row = Packed({{.column = 4, .count = -3}}, 1000);
  std::string rows;
  AppendSizedRow(AsBytes(row), rows);
  AppendSizedRow({}, rows);
  AppendSizedRow(AsBytes(row), rows);
  const std::span<const std::byte> all = AsBytes(rows);
  CHECK_FALSE(WrongSizedRows(all, 3, 1000).has_value());
  CHECK(WrongSizedRows(all, 2, 1000) == "4 bytes after row 2, the last");
  CHECK(WrongSizedRows(all, 4, 1000) == "row 3 of 4 is cut short, or has a size that is none");
  CHECK(WrongSizedRows(all.first(all.size() - 1), 3, 1000) ==
        "row 2 of 3 is cut short, or has a size that is none");
  CHECK(WrongSizedRows(all, 3, 4) == "row 0 of 3 is a column that is not below the table's dim");
  std::string absurd;
  AppendVarint(std::uint64_t{1} << 60, absurd);
  CHECK(WrongSizedRows(AsBytes(absurd), 1, 1000) ==
        "row 0 of 1 is cut short, or has a size that is none");
}

TEST_CASE("sums drop what is zero again, and refuse what leaves 64 bits", "[base][count_row]") {
  Rng rng(11);
  std::vector<CountEntry> sums;
  for (int i = 0; i < 500; ++i) {
    std::map<std::uint32_t, std::int64_t> a = RandomRow(rng, 50);
    std::map<std::uint32_t, std::int64_t> b = RandomRow(rng, 50);
    for (auto& [column, count] : a) count >>= 2;
    for (auto& [column, count] : b) count = -(count >> 2);
    for (const auto& [column, count] : a) {
      if (rng.Below(3) == 0) b[column] = -count;
    }
    std::erase_if(a, [](const auto& entry) { return entry.second == 0; });
    std::erase_if(b, [](const auto& entry) { return entry.second == 0; });
    std::map<std::uint32_t, std::int64_t> want = a;
    for (const auto& [column, count] : b) want[column] += count;
    std::erase_if(want, [](const auto& entry) { return entry.second == 0; });
    REQUIRE(MergeCounts(EntriesOf(a), EntriesOf(b), sums));
    REQUIRE(sums == EntriesOf(want));
  }
  CHECK_FALSE(MergeCounts(EntriesOf({{1, kMost}}), EntriesOf({{1, 1}}), sums));
  CHECK_FALSE(MergeCounts(EntriesOf({{1, kLeast}}), EntriesOf({{1, -1}}), sums));
  CHECK(MergeCounts(EntriesOf({{1, kLeast}}), EntriesOf({{1, kMost}}), sums));
}

TEST_CASE("a row's total stays within what a training count may be", "[base][count_row]") {
  const auto total = [](const std::vector<CountEntry>& entries) {
    return CountRowTotal(AsBytes(Packed(entries, 9)), 9);
  };
  CHECK(total({}) == 0);
  CHECK(total({{.column = 1, .count = 5}, {.column = 3, .count = -2}}) == 3);
  CHECK(total({{.column = 1, .count = -5}}) == 0);
  CHECK(total({{.column = 1, .count = kMost}, {.column = 2, .count = kMost}}) == 0xFFFFFFFF);
}

}  // namespace
}  // namespace longtail
