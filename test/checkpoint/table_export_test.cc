// A table's rows as files of others, read back by what their formats say and no code of ours.
#include "checkpoint/table_export.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <iomanip>
#include <iostream>
#include <limits>
#include <sstream>

#include "checkpoint/checkpoint_builder.h"
#include "checkpoint/csv_file.h"
#include "checkpoint/flat_file.h"
#include "checkpoint/npy_file.h"
#include "golden/hex.h"
#include "protocol/spec_codec.h"
#include "server/scratch_directory.h"
#include "sim/memory_store.h"

namespace longtail::checkpoint {
namespace {

using test::BuiltRow;
using test::Must;
using test::Says;

struct Fixture {
  std::uint64_t Export(std::size_t table, bool has_slots, TableFile& file) {
    return Must(ExportTable(store, built.Write(store), table, has_slots, file));
  }

  // Keys by partition, then by key.
  std::vector<Key> KeysInOrder(std::size_t table) const {
    std::vector<Key> keys;
    for (std::uint32_t p = 0; p < built.partitions; ++p) {
      for (const auto& [key, row] : built.tables[table].rows) {
        if (built.Place(key) == p) keys.push_back(key);
      }
    }
    return keys;
  }
  const BuiltRow& Row(std::size_t table, Key key) const { return built.tables[table].rows.at(key); }

  sim::MemoryStore store;
  test::CheckpointBuilder built = test::ThreeTables();
  const test::ScratchDirectory directory;
  const std::string path = directory.path() + "/out";
};

// The numbers of a file of numpy's, version 1.0; checks that its header is `want`.
template <typename T>
std::vector<T> ReadNpy(const std::string& path, const std::string& want) {
  const std::string bytes = test::ReadWhole(path);
  REQUIRE(bytes.size() >= 10);
  CHECK(bytes.substr(0, 8) == std::string("\x93NUMPY\x01\x00", 8));
  const std::size_t size = static_cast<unsigned char>(bytes[8]) +
                           256 * std::size_t{static_cast<unsigned char>(bytes[9])};
  REQUIRE(bytes.size() >= 10 + size);
  CHECK((10 + size) % 64 == 0);
  std::string header = bytes.substr(10, size);
  CHECK(header.back() == '\n');
  header.erase(header.find_last_not_of(" \n") + 1);
  CHECK(header == want);
  std::vector<T> numbers((bytes.size() - 10 - size) / sizeof(T));
  CHECK(numbers.size() * sizeof(T) == bytes.size() - 10 - size);
  std::copy(bytes.begin() + static_cast<long>(10 + size), bytes.end(),
            reinterpret_cast<char*>(numbers.data()));
  return numbers;
}

TEST_CASE_METHOD(Fixture, "the flat form has the bytes it always had",
                 "[checkpoint][table_export][golden]") {
  built = {.partitions = 2, .chunk_bytes = 1000};
  built.tables.push_back(
      {.spec = test::SpecOf("movie", 2, AdagradSpec{.learning_rate = 0.5F}),
       .value_count = 4,
       .rows = {{7, {.count = 3, .last_step = 11, .values = {1, -2, 0.5F, 4}}},
                {9, {.count = 1, .last_step = 2, .values = {8, 16, 32, 64}}},
                {~Key{0}, {.count = 5, .last_step = 6, .values = {-1, 2, 3, 0}}}}});
  const auto file = Must(FlatFile::Create(path));
  CHECK(Export(0, true, *file) == 3);

  CHECK(test::HexOfBytes(test::ReadWhole(path)) ==
        test::HexOfBytes(test::BytesOfHex(
            test::FileText(std::string(LONGTAIL_GOLDEN_DIR) + "/flat_table.hex"))));
}

TEST_CASE_METHOD(Fixture, "a flat file holds what docs/FORMATS.md says",
                 "[checkpoint][table_export]") {
  const bool has_slots = GENERATE(false, true);
  const auto flat = Must(FlatFile::Create(path));
  CHECK(Export(0, has_slots, *flat) == 150);

  const std::string bytes = test::ReadWhole(path);
  ByteReader reader(bytes);
  CHECK(AsText(reader.Bytes(8)) == "LTFLATTB");
  CHECK(reader.U32() == 1);
  const std::uint32_t header_bytes = reader.U32();
  CHECK(header_bytes % 8 == 0);
  CHECK(reader.U32() == 3);
  const std::uint32_t slots = reader.U32();
  CHECK(slots == (has_slots ? 3 : 0));
  CHECK(reader.U64() == 150);
  CHECK(reader.U64() == 12);
  CHECK(reader.U32() == 0);
  const std::uint32_t spec_bytes = reader.U32();
  CHECK(reader.U64() == Checksum(AsBytes(bytes).subspan(header_bytes)));
  CHECK(reader.U64() ==
        Checksum(AsBytes(bytes).first(56), AsBytes(bytes).subspan(64, header_bytes - 64)));
  CHECK(Must(DecodeTableSpec(reader.Bytes(spec_bytes))) == built.tables[0].spec);
  for (const std::byte zero : reader.Bytes(header_bytes - reader.offset())) {
    CHECK(zero == std::byte{0});
  }
  for (const Key key : KeysInOrder(0)) {
    const BuiltRow& want = Row(0, key);
    REQUIRE(reader.U64() == key);
    CHECK(reader.U32() == want.count);
    CHECK(reader.U32() == want.last_step);
    for (std::uint32_t i = 0; i < 3 + slots; ++i) CHECK(reader.F32() == want.values[i]);
  }
  CHECK(reader.Finish("flat").ok());
}

TEST_CASE_METHOD(Fixture, "numpy's files hold the rows and beside them their keys",
                 "[checkpoint][table_export]") {
  const auto npy = Must(NpyFile::Create(path + ".npy", true));
  CHECK(Export(0, true, *npy) == 150);

  const auto weights = ReadNpy<float>(
      path + ".npy", "{'descr': '<f4', 'fortran_order': False, 'shape': (150, 3), }");
  const auto keys = ReadNpy<Key>(path + ".keys.npy",
                                 "{'descr': '<u8', 'fortran_order': False, 'shape': (150,), }");
  const auto slots = ReadNpy<float>(
      path + ".slots.npy", "{'descr': '<f4', 'fortran_order': False, 'shape': (150, 3), }");

  CHECK(keys == KeysInOrder(0));
  REQUIRE(weights.size() == 450);
  REQUIRE(slots.size() == 450);
  for (std::size_t i = 0; i < keys.size(); ++i) {
    for (std::size_t column = 0; column < 3; ++column) {
      CHECK(weights[3 * i + column] == Row(0, keys[i]).values[column]);
      CHECK(slots[3 * i + column] == Row(0, keys[i]).values[3 + column]);
    }
  }
}

TEST_CASE_METHOD(Fixture, "numpy's files have no optimizer state unless asked",
                 "[checkpoint][table_export]") {
  const auto npy = Must(NpyFile::Create(path, false));  // The ending is added.
  CHECK(Export(1, false, *npy) == 90);

  CHECK(
      ReadNpy<float>(path + ".npy", "{'descr': '<f4', 'fortran_order': False, 'shape': (90, 2), }")
          .size() == 180);
  CHECK_FALSE(std::filesystem::exists(path + ".slots.npy"));
}

TEST_CASE_METHOD(Fixture, "numpy itself reads them", "[checkpoint][table_export]") {
  const std::string python = "python3 -c 'import numpy' 2>" + directory.path() + "/no";
  if (std::system(python.c_str()) != 0) {  // NOLINT(cert-env33-c): the test's own words.
    std::cout << "[skip] no numpy here\n";
    return;
  }
  const auto npy = Must(NpyFile::Create(path, false));
  Export(0, false, *npy);
  const Key key = KeysInOrder(0)[77];
  std::ostringstream program;
  program << "import numpy as np; w = np.load(\"" << path << ".npy\", mmap_mode=\"r\"); "
          << "k = np.load(\"" << path << ".keys.npy\"); "
          << "assert w.shape == (150, 3) and w.dtype == np.float32 and k.dtype == np.uint64; "
          << "i = int(np.where(k == np.uint64(" << key << "))[0][0]); assert i == 77; "
          << "assert w[i][2] == np.float32(" << std::setprecision(9) << Row(0, key).values[2]
          << ")";
  const std::string command = "python3 -c '" + program.str() + "'";
  CHECK(std::system(command.c_str()) == 0);  // NOLINT(cert-env33-c): the test's own words.
}

TEST_CASE_METHOD(Fixture, "a line of CSV gives the same floats again",
                 "[checkpoint][table_export]") {
  built.tables[0].rows.begin()->second.values = {
      1.5F,   std::numeric_limits<float>::infinity(),  -0.1F,
      1e-30F, std::numeric_limits<float>::quiet_NaN(), 3};
  const auto csv = Must(CsvFile::Create(path));
  CHECK(Export(0, true, *csv) == 150);

  std::istringstream lines(test::ReadWhole(path));
  std::string line;
  std::getline(lines, line);
  CHECK(line == "key,count,last_step,w0,w1,w2,s0,s1,s2");
  for (const Key key : KeysInOrder(0)) {
    const BuiltRow& want = Row(0, key);
    REQUIRE(std::getline(lines, line));
    std::istringstream cells(line);
    std::string cell;
    REQUIRE(std::getline(cells, cell, ','));
    CHECK(cell == std::to_string(key));
    REQUIRE(std::getline(cells, cell, ','));
    CHECK(cell == std::to_string(want.count));
    REQUIRE(std::getline(cells, cell, ','));
    CHECK(cell == std::to_string(want.last_step));
    for (const float value : want.values) {
      REQUIRE(std::getline(cells, cell, ','));
      float read = 0;
      CHECK(std::from_chars(cell.data(), cell.data() + cell.size(), read).ec == std::errc());
      CHECK(std::memcmp(&read, &value, sizeof(value)) == 0);
    }
    CHECK_FALSE(std::getline(cells, cell, ','));
  }
  CHECK_FALSE(std::getline(lines, line));
}

TEST_CASE_METHOD(Fixture, "without optimizer state CSV has the weights alone",
                 "[checkpoint][table_export]") {
  built.tables[2].rows = {{5, {.count = 2, .last_step = 3, .values = {0.1F}}}};
  const auto csv = Must(CsvFile::Create(path));
  CHECK(Export(2, false, *csv) == 1);
  CHECK(test::ReadWhole(path) == "key,count,last_step,w0\n5,2,3,0.1\n");
}

TEST_CASE_METHOD(Fixture, "a table without rows is a file without rows",
                 "[checkpoint][table_export]") {
  built.tables[2].rows.clear();
  const auto csv = Must(CsvFile::Create(path));
  CHECK(Export(2, true, *csv) == 0);
  CHECK(test::ReadWhole(path) == "key,count,last_step,w0\n");
  const auto npy = Must(NpyFile::Create(path, false));
  CHECK(Export(2, false, *npy) == 0);
  CHECK(ReadNpy<float>(path + ".npy", "{'descr': '<f4', 'fortran_order': False, 'shape': (0, 1), }")
            .empty());
}

TEST_CASE_METHOD(Fixture, "after damage there is no file", "[checkpoint][table_export]") {
  const Manifest manifest = built.Write(store);
  Must(store.Remove(manifest.blobs.back().name));
  {
    const auto csv = Must(CsvFile::Create(path));
    const absl::Status status = ExportTable(store, manifest, 0, false, *csv).status();
    CHECK(absl::IsDataLoss(status));
    CHECK(Says(status, manifest.blobs.back().name));
  }
  CHECK(std::filesystem::is_empty(directory.path()));
}

}  // namespace
}  // namespace longtail::checkpoint
