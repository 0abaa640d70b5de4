// Serving files and lists: what was written is read, and what cannot be is refused by name.
#include "protocol/serving_format.h"

#include <catch2/catch.hpp>

#include "base/bytes.h"
#include "base/hash.h"
#include "golden/hex.h"
#include "protocol/blob_envelope.h"
#include "protocol/serving_list.h"

namespace longtail {
namespace {

std::string Golden(const char* name) {
  return test::BytesOfHex(test::FileText(std::string(LONGTAIL_GOLDEN_DIR) + "/" + name));
}

TEST_CASE("a serving file's header is read as it was written", "[protocol][serving]") {
  const std::string rows = Golden("serving_rows.hex");
  const auto header = DecodeServingHeader("rows", AsBytes(rows));
  REQUIRE(header.ok());
  CHECK(header->kind == ServingKind::kRows);
  CHECK(header->values == WireValues::kFloat32);
  CHECK(header->segments == 2);
  CHECK(header->rows == 2);
  CHECK(header->step == 12);
  CHECK(header->spec.name == "movie");
  CHECK(EncodeServingHeader(*header) == rows.substr(0, header->header_bytes));
  CHECK(ServingHeaderChecksum(AsBytes(rows)) != 0);
  CHECK(ServingHeaderChecksum({}) == 0);

  const std::string changes = Golden("serving_changes.hex");
  const auto changed = DecodeServingHeader("changes", AsBytes(changes));
  REQUIRE(changed.ok());
  CHECK(changed->kind == ServingKind::kChanges);
  CHECK(changed->base == header->checkpoint);
  CHECK(changed->rows == 1);
  CHECK(changed->gone == 1);
  const auto segment = DecodeServingSegment("changes", AsBytes(changes), *changed, 1);
  REQUIRE(segment.ok());
  CHECK(segment->lines == 1);
  CHECK(segment->gone == 1);
}

TEST_CASE("a segment that does not fit is refused", "[protocol][serving]") {
  std::string rows = Golden("serving_rows.hex");
  const auto header = DecodeServingHeader("rows", AsBytes(rows));
  REQUIRE(header.ok());
  const std::size_t at = header->directory;
  const std::size_t offset = GENERATE(0U, 8U, 12U, 16U, 20U);  // Its fields.
  rows[at + offset + 1] = 0x7F;
  const auto segment = DecodeServingSegment("rows", AsBytes(rows), *header, 0);
  CHECK(absl::IsInvalidArgument(segment.status()));
  CHECK(std::string(segment.status().message()).starts_with("rows: segment 0: "));
}

TEST_CASE("a hash's segment and line are of its highest bits", "[protocol][serving]") {
  CHECK(ServingSegmentOf(~0ULL, 0) == 0);
  CHECK(ServingSegmentOf(~0ULL, 4) == 15);
  CHECK(ServingHomeLine(0, 4, 10) == 0);
  CHECK(ServingHomeLine(~0ULL, 4, 10) == 9);
  CHECK(ServingHomeLine(0x0800000000000000ULL, 4, 10) == 5);
}

TEST_CASE("a serving list is read as it was written, or refused by name", "[protocol][serving]") {
  ServingList list{.checkpoint = "b",
                   .identity = 5,
                   .created_at = "2026-11-29T10:00:00Z",
                   .step = 9,
                   .base = "a",
                   .base_identity = 4,
                   .tables = {{.table = "item", .rows = {"item-9.rows", 7}, .changes = {}},
                              {.table = "user", .rows = {"u.rows", 8}, .changes = {"u.c", 9}}}};
  const std::string bytes = EncodeServingList(list);
  const auto read = DecodeServingList("list", AsBytes(bytes));
  REQUIRE(read.ok());
  CHECK(*read == list);
  CHECK(EncodeServingList(*DecodeServingList("list", AsBytes(Golden("serving_list.hex")))) ==
        Golden("serving_list.hex"));
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    std::string changed = bytes;
    changed[at] = static_cast<char>(changed[at] ^ 4);
    if (DecodeServingList("list", AsBytes(changed)).ok()) FAIL_CHECK(at);
    if (DecodeServingList("list", AsBytes(bytes.substr(0, at))).ok()) FAIL_CHECK(at);
  }

  const auto refused = [&](const std::string& sentence) {
    const absl::Status status =
        DecodeServingList("list", AsBytes(EncodeServingList(list))).status();
    CHECK(absl::IsInvalidArgument(status));
    INFO(status.ToString());
    CHECK(status.message().find(sentence) != absl::string_view::npos);
  };
  for (const char* name : {"../other", ".hidden", "a/b", ""}) {
    list.tables[0].rows.name = name;
    refused("rows '" + std::string(name) + "': want a file of [a-zA-Z0-9._-]");
  }
  list.tables[0].rows.name = "item-9.rows";
  std::swap(list.tables[0], list.tables[1]);
  refused("2 tables: want at least one, each once and in the order of their names");
  list.tables.clear();
  refused("0 tables: want at least one");
}

}  // namespace
}  // namespace longtail
