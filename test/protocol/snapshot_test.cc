// A snapshot's chunks hold what was put in, and damage never reads as data.
#include <zstd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/random.h"
#include "protocol/checksum.h"
#include "protocol/sample_messages.h"
#include "protocol/sample_stored.h"
#include "protocol/snapshot_body.h"
#include "protocol/snapshot_writer.h"

namespace longtail {
namespace {

constexpr std::size_t kBodySizeOffset = 48;

bool Mentions(const absl::Status& status, const std::string& text) {
  return std::string(status.message()).find(text) != std::string::npos;
}

template <typename T>
std::string Resealed(std::string blob, std::size_t offset, T value) {
  std::memcpy(blob.data() + offset, &value, sizeof(value));
  Seal(kSnapshotEnvelope, blob);
  return blob;
}

// A blob with a body of the test's own making.
std::string BlobOf(const std::string& body) {
  std::string blob = EncodeSnapshotChunk(test::SampleChunk()).substr(0, kSnapshotHeaderBytes);
  std::string compressed(ZSTD_compressBound(body.size()), '\0');
  compressed.resize(
      ZSTD_compress(compressed.data(), compressed.size(), body.data(), body.size(), 3));
  blob += compressed;
  return Resealed<std::uint64_t>(blob, kBodySizeOffset, body.size());
}

TEST_CASE("a chunk comes back as it was written", "[protocol][snapshot]") {
  const SnapshotChunk chunk =
      GENERATE(false, true) ? test::SampleIncrementChunk() : test::SampleChunk();

  const auto read = ReadSnapshotChunk("s", AsBytes(EncodeSnapshotChunk(chunk)));

  INFO(read.status().ToString());
  REQUIRE(read.ok());
  CHECK(test::InWords(*read) == test::InWords(chunk));
}

TEST_CASE("memory of earlier chunks, smaller and larger ones, changes nothing of a blob",
          "[protocol][snapshot]") {
  SnapshotBuffers kept;
  SnapshotChunk large = test::SampleChunk();
  SnapshotTable& table = large.tables.front();
  for (Key key = 1; key <= 3000; ++key) {
    table.rows.keys.push_back(Mix64(key));
    table.rows.counts.push_back(static_cast<std::uint32_t>(key));
    table.rows.last_steps.push_back(7);
    table.rows.values.resize(table.rows.keys.size() * table.rows.value_count, 0.5F);
  }
  for (int i = 0; i < 3; ++i) {
    const SnapshotChunk& chunk = i == 1 ? large : test::SampleIncrementChunk();
    CHECK(EncodeSnapshotChunk(chunk, kept) == EncodeSnapshotChunk(chunk));
    CHECK(EncodeSnapshotChunk(large, kept) == EncodeSnapshotChunk(large));
  }
}

TEST_CASE("chunks read one in the memory of the other are what each is alone",
          "[protocol][snapshot][property]") {
  Rng rng(GENERATE(range<std::uint64_t>(0, 20)));
  const std::vector<SnapshotChunk> samples = {test::SampleChunk(), test::SampleIncrementChunk(),
                                              test::SampleCountChunk()};
  SnapshotReader reader;
  for (int i = 0; i < 30; ++i) {
    SnapshotChunk chunk = samples[rng.Below(samples.size())];
    if (rng.Below(2) == 0) std::ranges::reverse(chunk.tables);
    chunk.tables.resize(rng.Below(chunk.tables.size() + 1));
    for (SnapshotTable& table : chunk.tables) {
      if (table.rows.has_counts() || rng.Below(2) == 0) continue;
      const std::size_t rows = rng.Below(50);
      table.rows.keys.assign(rows, rng.Next());
      table.rows.counts.assign(rows, 5);
      table.rows.last_steps.assign(rows, 6);
      table.rows.values.assign(rows * table.rows.value_count, 0.25F);
    }
    std::string blob = EncodeSnapshotChunk(chunk);
    const bool is_damaged = rng.Below(5) == 0;
    if (is_damaged) blob.resize(blob.size() - 1 - rng.Below(blob.size() / 2));

    const absl::Status status = reader.Read("s", AsBytes(blob));

    CHECK(status.ok() != is_damaged);
    if (is_damaged) continue;
    const auto alone = ReadSnapshotChunk("s", AsBytes(blob));
    REQUIRE(alone.ok());
    CHECK(test::InWords(reader.chunk()) == test::InWords(*alone));
    if (rng.Below(3) == 0 && !reader.chunk().tables.empty()) {
      const RowBlock taken = std::move(reader.chunk().tables[0].rows);
      CHECK(taken.keys == alone->tables[0].rows.keys);
    }
  }
}

TEST_CASE("rows cut into chunks of any size are all there once, in order",
          "[protocol][snapshot][property]") {
  const std::uint64_t seed = GENERATE(range<std::uint64_t>(0, 60));
  CAPTURE(seed);
  Rng rng(seed);
  const std::size_t body_bytes_max = 300 + rng.Below(3000);
  std::vector<SnapshotChunk> chunks;
  SnapshotWriter writer(
      {PartitionId{5}, 16, 9, true, 1234, 56},
      [&](SnapshotChunk chunk) { chunks.push_back(std::move(chunk)); }, body_bytes_max);
  std::string want;
  std::map<std::uint32_t, TableSpec> specs;
  const std::uint64_t table_count = rng.Below(5);
  for (std::uint32_t t = 0; t < table_count; ++t) {
    TableSpec spec = test::SampleSpec(t);
    spec.dim = static_cast<std::uint32_t>(1 + rng.Below(9));
    const auto value_count = static_cast<std::uint32_t>(spec.dim + rng.Below(9));
    specs[t] = spec;
    writer.BeginTable(TableId{t}, spec, value_count);
    const std::uint64_t rows = rng.Below(100);
    for (std::uint64_t i = 0; i < rows; ++i) {
      std::vector<float> values(value_count);
      for (float& value : values) value = rng.Uniform(-1, 1);
      const Key key = rng.Next();
      const auto count = static_cast<std::uint32_t>(rng.Next());
      const auto last_step = static_cast<std::uint32_t>(rng.Next());
      writer.AddRow(key, count, last_step, values);
      want += std::to_string(t) + ' ' + std::to_string(key) + ' ' + std::to_string(count) + ' ' +
              std::to_string(last_step) + ' ' +
              ChecksumHex(Checksum(std::as_bytes(std::span(values))));
    }
  }
  std::vector<SessionRecord> sessions;
  for (std::uint32_t s = 0; s < rng.Below(40); ++s) {
    sessions.push_back({SessionId{rng.Next()}, s, rng.Next(), rng.Next() >> 2});
    writer.AddSession(sessions.back());
  }
  writer.Finish();

  std::string got;
  std::vector<SessionRecord> got_sessions;
  std::map<std::uint32_t, TableSpec> got_specs;
  REQUIRE_FALSE(chunks.empty());
  for (std::size_t c = 0; c < chunks.size(); ++c) {
    CAPTURE(c);
    const auto chunk = ReadSnapshotChunk("s", AsBytes(EncodeSnapshotChunk(chunks[c])));
    REQUIRE(chunk.ok());
    CHECK(chunk->header == SnapshotHeader{PartitionId{5}, 16, static_cast<std::uint32_t>(c),
                                          c + 1 == chunks.size(), 1234, 56});
    CHECK(EncodeSnapshotBody(*chunk).size() <= body_bytes_max);
    std::uint64_t rows_here = 0;
    for (const SnapshotTable& table : chunk->tables) {
      const RowBlock& rows = table.rows;
      got_specs[static_cast<std::uint32_t>(rows.table)] = table.spec;
      rows_here += rows.keys.size();
      for (std::size_t i = 0; i < rows.keys.size(); ++i) {
        const auto values = std::span(rows.values).subspan(i * rows.value_count, rows.value_count);
        got += std::to_string(static_cast<std::uint32_t>(rows.table)) + ' ' +
               std::to_string(rows.keys[i]) + ' ' + std::to_string(rows.counts[i]) + ' ' +
               std::to_string(rows.last_steps[i]) + ' ' +
               ChecksumHex(Checksum(std::as_bytes(values)));
      }
    }
    CHECK(RowsOf(chunks[c]) == rows_here);
    got_sessions.insert(got_sessions.end(), chunk->sessions.begin(), chunk->sessions.end());
  }
  CHECK(got == want);
  CHECK(got_sessions == sessions);
  CHECK(got_specs == specs);
}

TEST_CASE("an empty partition has one chunk that says where it stood", "[protocol][snapshot]") {
  std::vector<SnapshotChunk> chunks;
  SnapshotWriter writer({PartitionId{1}, 2, 0, false, 3, 4},
                        [&](SnapshotChunk chunk) { chunks.push_back(std::move(chunk)); });

  writer.Finish();

  REQUIRE(chunks.size() == 1);
  const auto chunk = ReadSnapshotChunk("s", AsBytes(EncodeSnapshotChunk(chunks[0])));
  REQUIRE(chunk.ok());
  CHECK(chunk->header == SnapshotHeader{PartitionId{1}, 2, 0, true, 3, 4});
  CHECK(chunk->tables.empty());
}

// What docs/CHECKPOINTS.md says of rounded increments.
TEST_CASE("rounded values are within half a unit, exact ones as they were",
          "[protocol][snapshot][property]") {
  const std::uint64_t seed = GENERATE(range<std::uint64_t>(0, 100));
  const WireValues format = GENERATE(WireValues::kBfloat16, WireValues::kInt8);
  CAPTURE(seed, static_cast<int>(format));
  Rng rng(seed);
  SnapshotChunk chunk;
  chunk.header.is_increment = true;
  chunk.header.values = format;
  SnapshotTable& table = chunk.tables.emplace_back();
  table.spec = test::SampleSpec(0);
  table.exact_count = static_cast<std::uint32_t>(rng.Below(3));
  table.rows.value_count = table.spec.dim + static_cast<std::uint32_t>(rng.Below(20)) + 2;
  const std::size_t rows = rng.Below(9);
  for (std::size_t i = 0; i < rows; ++i) table.rows.keys.push_back(rng.Next());
  table.rows.counts.assign(rows, 3);
  table.rows.last_steps.assign(rows, 4);
  for (std::size_t i = 0; i < rows * table.rows.value_count; ++i) {
    table.rows.values.push_back(rng.Uniform(-1, 1) * (rng.Below(3) == 0 ? 1000.0F : 0.01F));
  }

  const auto read = ReadSnapshotChunk("s", AsBytes(EncodeSnapshotChunk(chunk)));

  REQUIRE(read.ok());
  const std::vector<float>& values = read->tables[0].rows.values;
  CHECK(read->tables[0].rows.keys == table.rows.keys);
  REQUIRE(values.size() == table.rows.values.size());
  const std::size_t width = table.rows.value_count;
  for (std::size_t row = 0; row < rows; ++row) {
    float largest = 0;
    for (std::size_t i = 0; i < table.spec.dim; ++i) {
      largest = std::max(largest, std::abs(table.rows.values[row * width + i]));
    }
    for (std::size_t i = 0; i < width; ++i) {
      const float want = table.rows.values[row * width + i];
      const float error = std::abs(values[row * width + i] - want);
      const bool is_weight = i < table.spec.dim;
      if (i >= width - table.exact_count) {
        REQUIRE(error == 0);
      } else if (is_weight && format == WireValues::kInt8) {
        REQUIRE(error <= largest / 127);  // Half of a unit that is less than twice that.
      } else {
        REQUIRE(error <= std::abs(want) / 256);
      }
    }
  }
}

TEST_CASE("a chunk cut short anywhere is DataLoss by name", "[protocol][snapshot]") {
  const std::string blob = EncodeSnapshotChunk(GENERATE(false, true) ? test::SampleIncrementChunk()
                                                                     : test::SampleChunk());
  for (std::size_t size = 0; size < blob.size(); ++size) {
    CAPTURE(size);
    const std::string cut(blob, 0, size);
    const absl::Status status = ReadSnapshotChunk("s-3", AsBytes(cut)).status();
    CHECK(absl::IsDataLoss(status));
    CHECK(Mentions(status, "snapshot 's-3'"));
    CHECK(Mentions(status, "truncated"));
    CHECK(Mentions(status, "byte"));
  }
  CHECK(absl::IsDataLoss(ReadSnapshotChunk("s-3", AsBytes(blob + '\0')).status()));
}

TEST_CASE("a chunk with any bit flipped is refused", "[protocol][snapshot]") {
  const std::string blob = EncodeSnapshotChunk(test::SampleChunk());
  for (std::size_t bit = 0; bit < blob.size() * 8; ++bit) {
    CAPTURE(bit);
    std::string flipped = blob;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    const absl::Status status = ReadSnapshotChunk("s-3", AsBytes(flipped)).status();
    // In the magic it is foreign, in the version it is newer; all else is damage.
    CHECK((bit / 8 < 12 ? absl::IsInvalidArgument(status) || absl::IsDataLoss(status)
                        : absl::IsDataLoss(status)));
  }
}

TEST_CASE("a body of an increment cut short anywhere is refused", "[protocol][snapshot]") {
  SnapshotChunk chunk = test::SampleIncrementChunk();
  chunk.header.values = GENERATE(WireValues::kFloat32, WireValues::kBfloat16, WireValues::kInt8);
  const std::string body = EncodeSnapshotBody(chunk);
  for (std::size_t size = 0; size <= body.size(); ++size) {
    CAPTURE(size);
    SnapshotChunk read;
    read.header = chunk.header;
    CHECK(DecodeSnapshotBody("b", AsBytes(body.substr(0, size)), read).ok() ==
          (size == body.size()));
  }
}

TEST_CASE("a body cut short anywhere is refused though its checksum is right",
          "[protocol][snapshot]") {
  const std::string body = EncodeSnapshotBody(test::SampleChunk());
  for (std::size_t size = 0; size < body.size(); ++size) {
    CAPTURE(size);
    const absl::Status status =
        ReadSnapshotChunk("s", AsBytes(BlobOf(std::string(body, 0, size)))).status();
    CHECK(absl::IsInvalidArgument(status));
  }
  CHECK(ReadSnapshotChunk("s", AsBytes(BlobOf(body))).ok());
  CHECK_FALSE(ReadSnapshotChunk("s", AsBytes(BlobOf(body + '\0'))).ok());
}

TEST_CASE("a chunk that is foreign, newer or does not hold together is refused with the cause",
          "[protocol][snapshot]") {
  const std::string blob = EncodeSnapshotChunk(test::SampleChunk());
  const std::string body = EncodeSnapshotBody(test::SampleChunk());
  const auto with32 = [&](std::size_t offset, std::uint32_t value) {
    std::string changed = body;
    std::memcpy(changed.data() + offset, &value, sizeof(value));
    return BlobOf(changed);
  };
  struct Case {
    std::string blob;
    std::string says;
  };
  const Case bad = GENERATE_COPY(values<Case>({
      {"{\"format\": \"json, of all things\"}", "foreign"},
      {Resealed<std::uint32_t>(blob, 8, 3), "version 3 at byte 8 is newer than"},
      {Resealed<std::uint32_t>(blob, 8, 0), "version is 0"},
      {Resealed<std::uint32_t>(blob, 12, 8), "partition is not below the partition count"},
      {Resealed<std::uint32_t>(blob, 16, 0), "partition count 0"},
      {Resealed<std::uint32_t>(blob, 24, 2), "is_last 2: want 0..1"},
      {Resealed<std::uint32_t>(blob, 28, 1), "format of values 1: no format that there is"},
      {Resealed<std::uint32_t>(Resealed<std::uint32_t>(blob, 8, 2), 28, 2),
       "format of values 2: no"},
      {Resealed<std::uint32_t>(Resealed<std::uint32_t>(blob, 8, 2), 28, 4),
       "format of values 4: no"},
      {Resealed<std::uint64_t>(blob, 40, ~std::uint64_t{0}), "step"},
      {Resealed<std::uint64_t>(blob, 48, kSnapshotChunkBytesMax + 1),
       "body size 33554433: want at"},
      {Resealed<std::uint64_t>(blob, 48, kSnapshotChunkBytesMax),
       "no zstd frame of 33554432 bytes"},
      {Resealed<std::uint32_t>(blob, kSnapshotHeaderBytes, 7), "no zstd frame"},
      {BlobOf(std::string(kSnapshotChunkBytesMax + 1, '\0')), "body size"},
      {with32(0, 1025), "table count 1025: want 0..1024"},
      {with32(4, 0xFFFFFFFF), "session count 4294967295: want"},
      {with32(8, 1024), "table 1024: want 0..1023"},
      {with32(12, 0), "value count 0: want 0 for a table of counts, and for no other"},
      {with32(12, 16'385), "value count 16385: want 0..16384"},
      {with32(12, 1), "value count 1: want at least the table's dim, 2"},
      {with32(16, 0x01FFFFFF), "row count 33554431: needs"},
      {with32(16, 10), "are cut short: 10 of them"},
  }));

  const absl::Status status = ReadSnapshotChunk("s-9", AsBytes(bad.blob)).status();

  INFO(bad.says << " / " << status.ToString());
  CHECK(absl::IsInvalidArgument(status));
  CHECK(Mentions(status, "snapshot 's-9'"));
  CHECK(Mentions(status, bad.says));
  CHECK(Mentions(status, "byte"));
}

}  // namespace
}  // namespace longtail
