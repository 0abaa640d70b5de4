#include "base/bytes.h"

#include <array>
#include <catch2/catch.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "base/random.h"

namespace longtail {
namespace {

TEST_CASE("a writer's bytes are little-endian", "[base][bytes]") {
  std::string bytes;
  ByteWriter writer(bytes);

  writer.U8(0x01);
  writer.U16(0x0302);
  writer.U32(0x07060504);
  writer.U64(0x0F0E0D0C0B0A0908U);
  writer.F32(-1.5F);
  writer.Text("ab");

  const std::string want(
      "\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0A\x0B\x0C\x0D\x0E\x0F"
      "\x00\x00\xC0\xBF\x02\x00\x00\x00"
      "ab",
      25);
  CHECK(bytes == want);
  CHECK(writer.size() == 25);
}

TEST_CASE("a reader gives back what was written, at any alignment", "[base][bytes]") {
  const std::size_t lead = GENERATE(range<std::size_t>(0, 9));
  CAPTURE(lead);
  std::string bytes;
  ByteWriter writer(bytes);
  for (std::size_t i = 0; i < lead; ++i) writer.U8(0xEE);
  const std::array<float, 3> floats{1.25F, -2.5F, 3e30F};
  writer.U16(0xFEDC);
  writer.F64(0.1);
  writer.Array<float>(floats);
  writer.Text("row");
  writer.Bytes(AsBytes("xy"));

  ByteReader reader(bytes);
  CHECK(reader.Bytes(lead).size() == lead);
  CHECK(reader.U16() == 0xFEDC);
  CHECK(reader.F64() == 0.1);
  std::array<float, 3> read{};
  CHECK(reader.Array<float>(read));
  CHECK(read == floats);
  CHECK(reader.Text(3) == "row");
  CHECK(reader.remaining() == 2);
  CHECK_FALSE(reader.Finish("greeting").ok());
  CHECK(AsText(reader.Bytes(2)) == "xy");
  CHECK(reader.Finish("greeting").ok());
}

TEST_CASE("a reader of cut bytes fails where they end and stays failed", "[base][bytes]") {
  std::string bytes;
  ByteWriter writer(bytes);
  writer.U32(7);
  writer.U64(8);
  const std::size_t size = GENERATE(range<std::size_t>(0, 12));
  CAPTURE(size);

  ByteReader reader(std::string_view(bytes).substr(0, size));
  const std::uint32_t first = reader.U32();
  const std::uint64_t second = reader.U64();

  CHECK(first == (size >= 4 ? 7U : 0U));
  CHECK(second == 0);
  CHECK_FALSE(reader.ok());
  CHECK(reader.offset() == (size >= 4 ? 4U : 0U));
  CHECK(reader.U8() == 0);
  const std::string want = "page: cut short or wrong at byte " + std::to_string(reader.offset()) +
                           " of " + std::to_string(size);
  CHECK(reader.status("page").message() == want);
}

TEST_CASE("a size from the bytes that overflows is refused", "[base][bytes]") {
  const std::uint64_t size = GENERATE(std::uint64_t{4}, ~std::uint64_t{0}, ~std::uint64_t{0} - 2);
  ByteReader reader(std::string_view("abc"));
  reader.U8();

  CHECK(reader.Bytes(size).empty());
  CHECK_FALSE(reader.ok());
  CHECK(reader.offset() == 1);
}

TEST_CASE("a text longer than its limit or than the bytes is refused", "[base][bytes]") {
  std::string bytes;
  ByteWriter writer(bytes);
  writer.Text("four");

  ByteReader limited(bytes);
  CHECK(limited.Text(3).empty());
  CHECK_FALSE(limited.ok());
  CHECK(limited.offset() == 0);

  ByteReader cut(std::string_view(bytes).substr(0, 7));
  CHECK(cut.Text(100).empty());
  CHECK_FALSE(cut.ok());
  CHECK(cut.offset() == 0);
}

TEST_CASE("an array that is not there leaves its target alone", "[base][bytes]") {
  ByteReader reader(std::string_view("1234567"));
  std::vector<std::uint32_t> target{5, 6};

  CHECK_FALSE(reader.Array<std::uint32_t>(target));
  CHECK(target == std::vector<std::uint32_t>{5, 6});
}

TEST_CASE("a patch overwrites four bytes and no others", "[base][bytes]") {
  std::string bytes = "abcdefgh";
  ByteWriter writer(bytes);

  writer.PatchU32(2, 0x34333231);

  CHECK(bytes == "ab1234gh");
}

TEST_CASE("no bytes make a reader read past them", "[base][bytes]") {
  const std::uint64_t seed = GENERATE(range<std::uint64_t>(0, 1000));
  CAPTURE(seed);
  Rng rng(seed);
  std::string bytes(rng.Below(40), '\0');
  for (char& c : bytes) c = static_cast<char>(rng.Next() % (rng.Below(2) == 0 ? 4 : 256));
  ByteReader reader(bytes);
  std::array<std::uint16_t, 3> array{};

  for (int i = 0; i < 12; ++i) {
    const std::size_t before = reader.offset();
    switch (rng.Below(5)) {
      case 0:
        reader.U8();
        break;
      case 1:
        reader.U64();
        break;
      case 2:
        reader.Bytes(reader.U32());
        break;
      case 3:
        reader.Text(rng.Below(50));
        break;
      default:
        reader.Array<std::uint16_t>(array);
    }
    CHECK(reader.offset() >= before);
    CHECK(reader.offset() <= bytes.size());
  }
}

}  // namespace
}  // namespace longtail
