// Counts on their way: changes are packed by partition, rows are placed and unpacked, and what is
// none is refused.
#include "worker/count_fetch.h"

#include <catch2/catch.hpp>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/count_row.h"
#include "worker/call_parts.h"
#include "worker/count_changes.h"
#include "worker/key_batch_planner.h"
#include "worker/place_rows.h"

namespace longtail {
namespace {

constexpr std::uint32_t kPartitions = 4;
const TableSpec kSpec{.name = "topics", .dim = 50, .kind = TableKind::kCounts};

std::string Sized(const std::vector<CountEntry>& entries) {
  std::string row;
  AppendCountRow(entries, kSpec.dim, row);
  std::string sized;
  AppendSizedRow(AsBytes(row), sized);
  return sized;
}

KeyBatch BatchOf(const std::vector<Key>& keys) {
  KeyBatch batch;
  KeyBatchPlanner::Fill(TableId{0}, 1, kPartitions, keys, batch);
  return batch;
}

TEST_CASE("changes of equal keys are summed and packed in the order of the batch",
          "[worker][counts]") {
  const KeyBatch batch = BatchOf({7, 8, 7, 9});
  const CountRows changes{
      .ends = {2, 3, 5, 6}, .columns = {1, 4, 2, 1, 3, 9}, .counts = {5, -1, 7, -5, 2, 0}};
  REQUIRE(CheckCountChanges(kSpec, 4, changes).ok());
  std::string packed;
  std::vector<std::size_t> ends;
  REQUIRE(PackCountChanges(kSpec, *WorkerAccess::PlanOf(batch), changes, packed, ends).ok());

  std::string want;
  for (const Key key : batch.keys()) {
    if (key == 7) want += Sized({{.column = 3, .count = 2}, {.column = 4, .count = -1}});
    if (key == 8) want += Sized({{.column = 2, .count = 7}});
    if (key == 9) want += Sized({});
  }
  CHECK(packed == want);
  REQUIRE(ends.size() == kPartitions);
  CHECK(ends.back() == packed.size());
}

TEST_CASE("rows are unpacked in the order of keys, each as often as it was asked for",
          "[worker][counts]") {
  CountFetch fetch;
  KeyBatchPlanner::Fill(TableId{0}, 1, kPartitions, std::vector<Key>{7, 8, 7}, fetch.keys());
  CountRows rows{.ends = {1}, .columns = {1}, .counts = {1}};
  fetch.Begin(kPartitions, kSpec.dim, &rows);
  for (const Key key : fetch.keys().keys()) {
    const auto p = static_cast<std::size_t>(PartitionOf(key, kPartitions));
    *fetch.PartOf(p) += key == 7 ? Sized({{.column = 3, .count = 2}}) : Sized({});
  }
  REQUIRE(fetch.Deliver().ok());

  CHECK(rows == CountRows{.ends = {1, 1, 2}, .columns = {3, 3}, .counts = {2, 2}});
}

TEST_CASE("what a lane sent that is no row is refused and leaves the caller's rows alone",
          "[worker][counts]") {
  const std::string bad = GENERATE(
      values<std::string>({"", std::string("\x05\x00\x01", 3), std::string("\x02\x00\x01", 3),
                           std::string("\x03\x00\x33\x02", 4), std::string("\x00\x00", 2)}));
  CountFetch fetch;
  KeyBatchPlanner::Fill(TableId{0}, 1, kPartitions, std::vector<Key>{7}, fetch.keys());
  const CountRows before{.ends = {1}, .columns = {1}, .counts = {1}};
  CountRows rows = before;
  fetch.Begin(kPartitions, kSpec.dim, &rows);
  *fetch.PartOf(static_cast<std::size_t>(PartitionOf(7, kPartitions))) = bad;

  CHECK(absl::IsInvalidArgument(fetch.Deliver()));
  CHECK(rows == before);
}

TEST_CASE("packed rows of a reply go to the sections that asked for counts", "[worker][counts]") {
  const std::vector<Key> keys = {1, 2};
  std::vector<float> weights(2);
  std::string first = "old";
  std::string second;
  PullRequest pull;
  pull.sink = std::make_shared<PullSink>();
  pull.sections = {
      {.dim = 50, .keys = keys, .target = {.packed = &first}, .kind = TableKind::kCounts},
      {.dim = 1, .keys = keys, .target = {.rows = weights.data()}},
      {.dim = 50,
       .keys = std::span(keys).first(1),
       .target = {.packed = &second},
       .kind = TableKind::kCounts}};
  const std::string one = Sized({{.column = 3, .count = 2}});
  const std::string two = Sized({{.column = 4, .count = 300}});
  const std::string packed = one + two + two;
  const std::vector<float> values = {5, 6};
  PullReply reply{.request = 5, .status = {}, .values = values, .counts = {}, .owner = nullptr};
  reply.packed = AsBytes(packed);

  REQUIRE(PlaceRows(reply, pull).ok());
  CHECK(first == one + two);
  CHECK(second == two);
  CHECK(weights == values);

  reply.packed = AsBytes(packed).first(packed.size() - 1);
  CHECK(PlaceRows(reply, pull).message() ==
        "pull reply 5: row 0 of 1 of counts is cut short, or has a size that is none");
  const std::string more = packed + one;
  reply.packed = AsBytes(more);
  CHECK(PlaceRows(reply, pull).message() == "pull reply 5: 4 bytes after the last row of counts");
}

}  // namespace
}  // namespace longtail
