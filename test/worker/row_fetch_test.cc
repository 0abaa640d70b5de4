// What the row cache leaves of a pull to servers.
#include "worker/row_fetch.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/limits.h"
#include "worker/key_batch_planner.h"

namespace longtail {
namespace {

constexpr std::uint32_t kPartitions = 4;

// A pull of one table, and where its rows go.
struct Pull {
  Pull(std::uint32_t table, std::uint32_t dim, const std::vector<Key>& given) {
    KeyBatchPlanner::Fill(TableId{table}, dim, kPartitions, given, keys);
    rows.assign(keys.unique_size() * dim, -1);
    counts.assign(keys.unique_size(), 77);
  }
  PullItem item() { return {.keys = &keys, .rows = rows}; }
  PullItem item_with_counts() { return {.keys = &keys, .rows = rows, .counts = counts}; }

  KeyBatch keys;
  std::vector<float> rows;
  std::vector<std::uint32_t> counts;
};

// As servers would: a row's first float is its key and some more, its count the key.
void Answer(const RowFetch& fetch, float more) {
  for (const PullItem& item : fetch.items()) {
    const std::size_t n = item.keys->unique_size();
    const std::size_t dim = n == 0 ? 0 : item.rows.size() / n;
    for (std::size_t i = 0; i < n; ++i) {
      const Key key = item.keys->keys()[i];
      for (std::size_t c = 0; c < dim; ++c) {
        item.rows[i * dim + c] = static_cast<float>(key) + more + static_cast<float>(c) / 8;
      }
      if (!item.counts.empty()) item.counts[i] = static_cast<std::uint32_t>(key);
    }
  }
}

// Of the pull's rows, the first float of that key's.
float RowOf(const Pull& pull, Key key) {
  const auto keys = pull.keys.keys();
  const auto place = static_cast<std::size_t>(std::ranges::find(keys, key) - keys.begin());
  return pull.rows[place * (pull.rows.size() / keys.size())];
}

TEST_CASE("a fetch pulls what the cache lacks, and brings all to its place",
          "[worker][row_fetch]") {
  RowCache cache({.bytes = kRowCacheBytesMin, .steps = 5});
  RowFetch fetch;
  Pull a(0, 2, {1, 2, 3, 4, 5, 6, 7, 8});
  Pull b(1, 3, {2, 4});
  const std::vector<PullItem> first = {a.item_with_counts(), b.item()};
  fetch.Begin(first, 0, cache);
  CHECK(fetch.served_applied() == std::nullopt);
  Answer(fetch, 0);
  fetch.Deliver();
  fetch.Keep(0, cache);
  for (const Key key : a.keys.keys()) CHECK(RowOf(a, key) == static_cast<float>(key));
  for (const Key key : b.keys.keys()) CHECK(RowOf(b, key) == static_cast<float>(key));

  Pull c(0, 2, {3, 30, 1, 40, 50, 8, 60});
  Pull d(1, 3, {4, 2, 4});
  const std::vector<PullItem> second = {c.item_with_counts(), d.item()};
  fetch.Begin(second, 3, cache);

  CHECK(fetch.served_applied() == 0);
  REQUIRE(fetch.items().size() == 2);
  const auto lacking = fetch.items()[0].keys->keys();
  CHECK(std::vector<Key>(lacking.begin(), lacking.end()) == [&] {
    std::vector<Key> want;  // In the order of the batch, which is that of partitions.
    for (const Key key : c.keys.keys()) {
      if (key >= 30) want.push_back(key);
    }
    return want;
  }());
  CHECK(fetch.items()[1].keys->unique_size() == 0);
  CHECK(RowOf(c, 8) == 8);
  CHECK(RowOf(c, 30) == -1);
  CHECK(RowOf(d, 4) == 4);
  Answer(fetch, 100);
  CHECK(RowOf(c, 30) == -1);
  fetch.Deliver();
  for (std::size_t i = 0; i < c.keys.unique_size(); ++i) {
    const Key key = c.keys.keys()[i];
    CHECK(RowOf(c, key) == static_cast<float>(key) + (key >= 30 ? 100.0F : 0.0F));
    CHECK(c.rows[2 * i + 1] == c.rows[2 * i] + 0.125F);
    CHECK(c.counts[i] == key);
  }
}

TEST_CASE("what came of a pull that failed is not kept", "[worker][row_fetch]") {
  RowCache cache({.bytes = kRowCacheBytesMin, .steps = 5});
  RowFetch fetch;
  Pull a(0, 1, {1, 2, 3});
  const std::vector<PullItem> items = {a.item()};
  fetch.Begin(items, 0, cache);
  Answer(fetch, 0);

  fetch.Begin(items, 0, cache);  // The pull before failed: neither delivered nor kept.

  CHECK(fetch.items()[0].keys->unique_size() == 3);
  CHECK(RowOf(a, 1) == -1);
}

TEST_CASE("a pull of no keys lacks nothing", "[worker][row_fetch]") {
  RowCache cache({.bytes = kRowCacheBytesMin, .steps = 5});
  RowFetch fetch;
  Pull a(0, 2, {});
  const std::vector<PullItem> items = {a.item()};

  fetch.Begin(items, 0, cache);
  fetch.Deliver();
  fetch.Keep(0, cache);

  CHECK(fetch.items()[0].keys->unique_size() == 0);
  CHECK(fetch.served_applied() == std::nullopt);
}

}  // namespace
}  // namespace longtail
