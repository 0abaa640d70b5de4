// Files that are damaged, foreign or newer: each is refused or the lookup that needs it is.
#include "serving/serving_file.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstring>
#include <filesystem>

#include "protocol/serving_list.h"
#include "serving/mapped_file.h"
#include "serving/served_rows.h"
#include "serving/serving_place.h"
#include "serving/table_reader.h"

namespace longtail::serving {
namespace {

using test::CheckpointBuilder;
using test::LookedUp;
using test::LookUp;
using test::Must;
using test::Says;

constexpr std::size_t kHeaderChecksumAt = 120;

// Bytes at a multiple of eight, of just that size: what is read past the end is seen.
class AlignedBytes {
 public:
  explicit AlignedBytes(const std::string& bytes) : words_((bytes.size() + 7) / 8) {
    if (!bytes.empty()) std::memcpy(words_.data(), bytes.data(), bytes.size());
    bytes_ = std::as_bytes(std::span(words_)).first(bytes.size());
  }
  std::span<const std::byte> get() const { return bytes_; }

 private:
  std::vector<std::uint64_t> words_;
  std::span<const std::byte> bytes_;
};

// The header's checksum made to fit.
std::string Sealed(std::string bytes) {
  std::uint32_t header_bytes = 0;
  std::memcpy(&header_bytes, bytes.data() + 12, sizeof(header_bytes));
  const auto all = AsBytes(bytes);
  const std::uint64_t sum =
      Checksum(all.first(kHeaderChecksumAt),
               all.subspan(kServingFixedBytes, header_bytes - kServingFixedBytes));
  std::memcpy(bytes.data() + kHeaderChecksumAt, &sum, sizeof(sum));
  return bytes;
}

struct Fixture : test::ServingPlace {
  Fixture() {
    const auto done = Export(test::ThreeTables());
    path = PathOf(done.tables[1].file);  // "rare", the smallest.
    whole = test::ReadWhole(path);
  }

  absl::Status ReadWith(const std::string& bytes, ServingCheck check = ServingCheck::kWhole) {
    const AlignedBytes aligned(bytes);
    return ServingFile::Read("f", aligned.get(), check, 1).status();
  }

  std::string path;
  std::string whole;
};

TEST_CASE_METHOD(Fixture, "any byte that is changed is seen, and any that is missing",
                 "[serving][file]") {
  Must(ReadWith(whole));
  for (std::size_t at = 0; at < whole.size(); ++at) {
    std::string changed = whole;
    changed[at] = static_cast<char>(changed[at] ^ (1 << (at % 8)));
    if (ReadWith(changed).ok()) FAIL_CHECK("byte " << at);
    const absl::Status cut = ReadWith(whole.substr(0, at));
    if (!absl::IsDataLoss(cut)) FAIL_CHECK("cut at " << at << ": " << cut.ToString());
  }
  CHECK(Says(ReadWith(whole + "x"), "has " + std::to_string(whole.size() + 1) + " bytes: want "));
  CHECK(Says(ReadWith(whole.substr(0, whole.size() - 1)),
             "truncated at offset " + std::to_string(whole.size() - 1)));
}

TEST_CASE_METHOD(Fixture, "what is foreign or newer is refused for that", "[serving][file]") {
  CHECK(Says(ReadWith(std::string(200, 'x')), "f: is no serving file: want the magic 'LTSERVTB'"));
  std::string newer = whole;
  newer[8] = 2;
  CHECK(Says(ReadWith(Sealed(newer)), "f: serving file of version 2: want 1"));
  const auto refused = [&](std::size_t at, char value, const std::string& sentence) {
    std::string changed = whole;
    changed[at] = value;
    const absl::Status status = ReadWith(Sealed(changed));
    CHECK(absl::IsInvalidArgument(status));
    CHECK(Says(status, sentence));
  };
  refused(16, 2, "kind 2: want 0..1");
  refused(20, 9, "format of values 9: want 0..3");
  refused(24, 5, "bytes of a row 5: want 4 for dim 1");
  refused(28, 3, "segments 3: want a power of two");
  refused(32, 99, "segments have 6 rows");
  refused(40, 1, "of a file of all rows");
  refused(72, 1, "checksum of the spec is not that of its bytes");
  refused(88, 1, "directory at byte");
}

TEST_CASE_METHOD(Fixture, "damage is told by its place", "[serving][file]") {
  std::string changed = whole;
  const std::size_t at = 300;  // Within the first segment.
  changed[at] = static_cast<char>(changed[at] ^ 1);
  const absl::Status status = ReadWith(changed);
  CHECK(absl::IsDataLoss(status));
  CHECK(Says(status, "f: damaged within bytes "));
}

TEST_CASE("what a lookup does not need may be damaged where checks are on use", "[serving][file]") {
  test::ServingPlace place;
  CheckpointBuilder built{.partitions = 2, .chunk_bytes = 1 << 20};
  Rng rng(9);
  built.tables.push_back({.spec = test::SpecOf("wide", 64, SgdSpec{}),
                          .value_count = 64,
                          .rows = test::SomeRows(rng, 20'000, 64)});
  const auto done = place.Export(built);
  const std::string path = place.PathOf(done.tables[0].file);
  const std::uint64_t bytes = done.tables[0].bytes;
  REQUIRE(bytes > 4 * kServingBlockBytes);
  test::FlipByte(path, bytes * 3 / 8);  // Among the rows of the first of two segments.

  for (const unsigned threads : {1U, 3U}) {
    const absl::Status refused = ServingTable::Open(path, "", {.check_threads = threads}).status();
    CHECK(absl::IsDataLoss(refused));
    CHECK(Says(refused, path + ": damaged within bytes "));
  }
  const auto table = Must(ServingTable::Open(path, "", {.check = ServingCheck::kOnUse}));
  std::size_t refused = 0;
  std::vector<float> row(64);
  for (const auto& [key, want] : built.tables[0].rows) {
    const auto found = table->Lookup({&key, 1}, row, UnseenKeys::kZeros);
    if (!found.ok()) {
      ++refused;
      CHECK(absl::IsDataLoss(found.status()));
      CHECK(Says(found.status(), "damaged within bytes "));
    } else if (*found != 1 || !std::ranges::equal(row, want.values)) {
      FAIL_CHECK(key);
    }
  }
  CHECK(table->damaged_blocks() == 1);
  CHECK(refused > 1000);  // A block of 1 MiB in five has more than one key in ten.
  CHECK(refused < 8000);
}

TEST_CASE_METHOD(Fixture, "files are mapped, and what is no file is refused", "[serving][file]") {
  const ServingMemory memory = GENERATE(ServingMemory::kMapped, ServingMemory::kCopied);
  CHECK(AsText(Must(MappedFile::Open(path, memory))->bytes()) == whole);
  CHECK(Must(ServingTable::Open(path, "", {.memory = memory}))->rows() == 6);
  CHECK(absl::IsNotFound(MappedFile::Open(path + "x", memory).status()));
  CHECK(Says(MappedFile::Open(options.place, memory).status(), "want a file"));
  test::WriteWhole(path, "");
  CHECK(Must(MappedFile::Open(path, memory))->bytes().empty());
  CHECK(absl::IsDataLoss(ServingTable::Open(path, "", {}).status()));
}

TEST_CASE_METHOD(Fixture, "a table is of files that belong together", "[serving][table]") {
  options.changes_share_max = 100;
  const CheckpointBuilder first = test::ThreeTables();
  const Manifest manifest = first.Write(store);
  Rng rng(3);
  const auto rows = Export("step-12", manifest);
  CheckpointBuilder next = test::NextIncrement(first, manifest, "a", rng);
  const auto changes = Export(next);
  REQUIRE(changes.is_changes);
  const std::string item = PathOf(rows.tables[0].file);
  const std::string item_changes = PathOf(changes.tables[0].file);
  const auto table = Must(ServingTable::Open(item, item_changes, {}));
  CHECK(table->rows() == 150);
  CHECK(table->changed() == next.tables[0].rows.size());
  CHECK(table->gone() == next.tables[0].gone.size());
  CHECK(table->step() == 13);

  CHECK(Says(ServingTable::Open(item_changes, "", {}).status(), "has changes: want a file of all"));
  CHECK(Says(ServingTable::Open(item, item, {}).status(), "has all rows: want a file of changes"));
  CHECK(Says(ServingTable::Open(item, PathOf(changes.tables[1].file), {}).status(),
             "changes of table 'rare'"));
  TableSpec other = table->spec();
  other.dim = 4;
  const absl::Status refused = ServingTable::Open(item, "", {.tables = {other}}).status();
  CHECK(absl::IsFailedPrecondition(refused));
  CHECK(Says(refused, "table 'item' of dim 3 with spec "));
  CHECK(Says(refused, ": want dim 4 and spec "));
  CHECK(Says(ServingTable::Open(item, "", {.check_threads = 0}).status(), "check_threads 0: want"));
}

TEST_CASE_METHOD(Fixture, "lookups of wrong shapes are refused, those of nothing give nothing",
                 "[serving][table]") {
  const auto table = Must(ServingTable::Open(path, "", {}));
  const std::vector<Key> keys = {1, 2};
  std::vector<float> rows(3);
  std::vector<std::uint8_t> found(1);
  CHECK(Says(table->Lookup(keys, rows, UnseenKeys::kZeros).status(),
             "lookup in table 'rare': 2 keys with room for 3 floats and 0 marks: want 2 floats"));
  CHECK(absl::IsInvalidArgument(
      table->Lookup(keys, std::span(rows).first(2), UnseenKeys::kZeros, found).status()));
  CHECK(Must(table->Lookup({}, {}, UnseenKeys::kZeros)) == 0);
}

TEST_CASE("rows of a shared tail are none of their own", "[serving][table]") {
  const TableSpec shared = test::SharedSpecOf("shared", 2);
  CHECK_FALSE(ServedRows(shared).Has(Mix64(5), 2));
  CHECK(ServedRows(shared).Has(Mix64(5), 3));
  const Key group = sparse::BackoffKeys(shared).Of(5, Mix64(5));
  CHECK(ServedRows(shared).Has(Mix64(group), 0));
  CHECK(ServedRows(test::TailSpecOf("tail", 2)).Has(Mix64(5), 0));
}

}  // namespace
}  // namespace longtail::serving
