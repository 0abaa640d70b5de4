// Rows that came by value go where the pull wants them, or nowhere.
#include "worker/place_rows.h"

#include <catch2/catch.hpp>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/varint.h"
#include "protocol/value_codec.h"

namespace longtail {
namespace {

// A pull of three rows of two floats and two rows of one, with counts of the first section.
struct Fixture {
  Fixture() {
    pull.wants_counts = true;
    pull.sink = sink;
    pull.sections.push_back({.partition = PartitionId{0},
                             .table = TableId{0},
                             .dim = 2,
                             .keys = keys_a,
                             .target = {.rows = rows_a.data(), .counts = counts_a.data()}});
    pull.sections.push_back({.partition = PartitionId{1},
                             .table = TableId{1},
                             .dim = 1,
                             .keys = keys_b,
                             .target = {.rows = rows_b.data(), .counts = nullptr}});
  }

  static PullReply Reply(const std::vector<float>& rows, const std::vector<std::uint32_t>& seen) {
    return {.request = 5, .status = {}, .values = rows, .counts = seen, .owner = nullptr};
  }

  std::vector<Key> keys_a = {7, 8, 9};
  std::vector<Key> keys_b = {1, 2};
  std::vector<float> rows_a = std::vector<float>(6, -1);
  std::vector<float> rows_b = std::vector<float>(2, -1);
  std::vector<std::uint32_t> counts_a = std::vector<std::uint32_t>(3, 99);
  std::shared_ptr<PullSink> sink = std::make_shared<PullSink>();
  PullRequest pull;
  const std::vector<float> values = {1, 2, 3, 4, 5, 6, 7, 8};
  const std::vector<std::uint32_t> counts = {11, 12, 13, 14, 15};
};

TEST_CASE_METHOD(Fixture, "rows and counts go to the section that asked for them", "[worker]") {
  CHECK(PlaceRows(Reply(values, counts), pull).ok());

  CHECK(rows_a == std::vector<float>{1, 2, 3, 4, 5, 6});
  CHECK(rows_b == std::vector<float>{7, 8});
  CHECK(counts_a == std::vector<std::uint32_t>{11, 12, 13});
}

TEST_CASE_METHOD(Fixture, "each section has its own counts", "[worker]") {
  std::vector<std::uint32_t> counts_b(2, 99);
  pull.sections[0].target.counts = nullptr;
  pull.sections[1].target.counts = counts_b.data();

  CHECK(PlaceRows(Reply(values, counts), pull).ok());

  CHECK(counts_b == std::vector<std::uint32_t>{14, 15});
  CHECK(counts_a == std::vector<std::uint32_t>{99, 99, 99});
}

TEST_CASE_METHOD(Fixture, "counts that nobody wanted are not asked for", "[worker]") {
  pull.wants_counts = false;

  CHECK(PlaceRows(Reply(values, {}), pull).ok());

  CHECK(rows_b == std::vector<float>{7, 8});
  CHECK(counts_a == std::vector<std::uint32_t>{99, 99, 99});
}

TEST_CASE_METHOD(Fixture, "a reply of another size is refused and places nothing", "[worker]") {
  struct Case {
    std::vector<float> values;
    std::vector<std::uint32_t> counts;
  };
  const Case bad = GENERATE_COPY(Catch::Generators::values<Case>({
      {{1, 2, 3, 4, 5, 6, 7}, {11, 12, 13, 14, 15}},
      {{1, 2, 3, 4, 5, 6, 7, 8, 9}, {11, 12, 13, 14, 15}},
      {{1, 2, 3, 4, 5, 6, 7, 8}, {11, 12, 13, 14}},
      {{1, 2, 3, 4, 5, 6, 7, 8}, {}},
  }));

  const absl::Status status = PlaceRows(Reply(bad.values, bad.counts), pull);

  INFO(status.ToString());
  CHECK(absl::IsInvalidArgument(status));
  CHECK(std::string(status.message()).find("want 8 and 5") != std::string::npos);
  CHECK(rows_a == std::vector<float>(6, -1));
  CHECK(rows_b == std::vector<float>(2, -1));
}

TEST_CASE_METHOD(Fixture, "a closed sink takes nothing", "[worker]") {
  sink->Close();

  CHECK(PlaceRows(Reply(values, counts), pull).ok());

  CHECK(rows_a == std::vector<float>(6, -1));
}

TEST_CASE_METHOD(Fixture, "placing rows leaves the sink so that it can be closed", "[worker]") {
  CHECK(PlaceRows(Reply(values, counts), pull).ok());

  sink->Close();  // Would wait for ever for a writer that did not leave.
  CHECK_FALSE(sink->Enter());
}

// The same rows and counts, packed.
struct CompactFixture : Fixture {
  CompactFixture() { pull.compact = WireValues::kInt8; }

  CompactPullReply Reply() {
    rows.resize(3 * 3 + 2 * 2);
    PackRows(WireValues::kInt8, 2, std::span(values).first(6), rows.data());
    PackRows(WireValues::kInt8, 1, std::span(values).last(2), rows.data() + 9);
    packed_counts.clear();
    for (const std::uint32_t count : counts) AppendVarint(count, packed_counts);
    return {.request = 5,
            .step = 0,
            .values = WireValues::kInt8,
            .rows = rows,
            .counts = AsBytes(packed_counts),
            .owner = nullptr};
  }

  std::vector<std::byte> rows;
  std::string packed_counts;
};

TEST_CASE_METHOD(CompactFixture, "packed rows and counts go to the section that asked for them",
                 "[worker]") {
  CHECK(PlaceRows(Reply(), pull).ok());

  CHECK(rows_a == std::vector<float>{1, 2, 3, 4, 5, 6});
  CHECK(rows_b == std::vector<float>{7, 8});
  CHECK(counts_a == std::vector<std::uint32_t>{11, 12, 13});
}

TEST_CASE_METHOD(CompactFixture, "packed rows that are not what was asked for are refused",
                 "[worker]") {
  const auto says = [&](const std::string& text, auto change) {
    CompactPullReply reply = Reply();
    change(reply);
    const absl::Status status = PlaceRows(reply, pull);
    INFO(text);
    INFO(status.ToString());
    CHECK(absl::IsInvalidArgument(status));
    CHECK(std::string(status.message()).find(text) != std::string::npos);
  };

  says("12 bytes of rows: want 13",
       [](CompactPullReply& reply) { reply.rows = reply.rows.first(12); });
  says("rows in format 1: want 3",
       [](CompactPullReply& reply) { reply.values = WireValues::kBfloat16; });
  says("the scale of a row is none", [&](CompactPullReply&) { rows[3] = std::byte{125}; });
  says("a count is cut short",
       [](CompactPullReply& reply) { reply.counts = reply.counts.first(4); });
  says("1 bytes after the last count", [&](CompactPullReply& reply) {
    packed_counts.push_back('x');
    reply.counts = AsBytes(packed_counts);
  });
}

TEST_CASE_METHOD(CompactFixture, "packed rows that come late are not written", "[worker]") {
  sink->Close();

  CHECK(PlaceRows(Reply(), pull).ok());

  CHECK(rows_a == std::vector<float>(6, -1));
}

}  // namespace
}  // namespace longtail
