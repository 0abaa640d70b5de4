// What an object in Ceph says of itself, and what it is called.
#include "protocol/object_header.h"

#include <catch2/catch.hpp>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "golden/hex.h"
#include "protocol/checksum.h"

namespace longtail {
namespace {

// The third of four parts.
constexpr ObjectHeader kSample{.part = 2,
                               .part_count = 4,
                               .part_bytes = 1000,
                               .blob_bytes = 3456,
                               .write_id = 0x0123456789abcdef,
                               .checksum = 0xfedcba9876543210};

// The third part of a blob that grows.
constexpr ObjectHeader kGrowing{
    .part = 2, .part_count = 0, .part_bytes = 1000, .write_id = 0x0123456789abcdef};

absl::Status Refusal(const ObjectHeader& header) {
  return DecodeObjectHeader("object 'a'", AsBytes(EncodeObjectHeader(header))).status();
}

TEST_CASE("an object's header comes back as it was", "[protocol][object_header]") {
  std::vector<ObjectHeader> headers = {kSample, kGrowing, {}};
  headers.push_back({.part = 0, .part_count = 1, .part_bytes = 5, .blob_bytes = 5});
  headers.push_back({.part = 1, .part_count = 2, .part_bytes = 5, .blob_bytes = 6});
  headers.push_back({.part = 0,
                     .part_count = 1,
                     .part_bytes = kObjectBytesMax,
                     .blob_bytes = kObjectBytesMax,
                     .write_id = ~std::uint64_t{0}});
  for (const ObjectHeader& header : headers) {
    CHECK(DecodeObjectHeader("a", AsBytes(EncodeObjectHeader(header))).value() == header);
  }
}

TEST_CASE("an object's header has the bytes it always had", "[protocol][golden]") {
  for (const auto& [file, sample] :
       {std::pair{"object_header.hex", kSample}, std::pair{"object_header_2.hex", kGrowing}}) {
    CAPTURE(file);
    const std::string golden =
        test::BytesOfHex(test::FileText(std::string(LONGTAIL_GOLDEN_DIR) + "/" + file));
    REQUIRE(golden.size() == kObjectHeaderBytes);

    CHECK(DecodeObjectHeader("golden", AsBytes(golden)).value() == sample);
    CHECK(test::HexOfBytes(EncodeObjectHeader(sample)) == test::HexOfBytes(golden));
  }
}

TEST_CASE("an object's header cut short, longer or flipped anywhere is refused by name",
          "[protocol][object_header]") {
  const std::string whole = EncodeObjectHeader(kSample);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const absl::Status status =
        DecodeObjectHeader("object 'a'", AsBytes(whole.substr(0, size))).status();
    CHECK(absl::IsDataLoss(status));
    CHECK(std::string(status.message()).starts_with("object 'a': "));
  }
  CHECK(absl::IsDataLoss(DecodeObjectHeader("a", AsBytes(whole + "x")).status()));
  for (std::size_t i = 0; i < whole.size(); ++i) {
    CAPTURE(i);
    std::string damaged = whole;
    damaged[i] = static_cast<char>(damaged[i] ^ 0x40);
    CHECK_FALSE(DecodeObjectHeader("a", AsBytes(damaged)).ok());
  }
}

TEST_CASE("numbers that make no blob are refused", "[protocol][object_header]") {
  for (const ObjectHeader& wrong :
       {ObjectHeader{.part = 4, .part_count = 4, .part_bytes = 1000, .blob_bytes = 3456},
        ObjectHeader{.part = 0, .part_count = 0, .part_bytes = 1000, .blob_bytes = 1},
        ObjectHeader{.part = 0, .part_count = 0, .part_bytes = 1000, .checksum = 1},
        ObjectHeader{.part = 0, .part_count = 0, .part_bytes = kObjectBytesMax + 1},
        ObjectHeader{.part = 0, .part_count = 3, .part_bytes = 1000, .blob_bytes = 3456},
        ObjectHeader{.part = 0, .part_count = 5, .part_bytes = 1000, .blob_bytes = 3456},
        ObjectHeader{.part = 0, .part_count = 1, .part_bytes = 0, .blob_bytes = 0},
        ObjectHeader{.part = 0, .part_count = 1, .part_bytes = kObjectBytesMax + 1},
        ObjectHeader{.part = 0, .part_count = 1, .part_bytes = 1, .blob_bytes = ~std::uint64_t{0}},
        ObjectHeader{
            .part = 0, .part_count = 0, .part_bytes = 1, .blob_bytes = std::uint64_t{1} << 32}}) {
    CAPTURE(wrong.part, wrong.part_count, wrong.part_bytes, wrong.blob_bytes);
    CHECK(absl::IsInvalidArgument(Refusal(wrong)));
  }
}

TEST_CASE("a blob grows in version 2 alone", "[protocol][object_header]") {
  // No writer makes these: the version is changed, and the checksum with it.
  const auto with_version = [](const ObjectHeader& header, char version) {
    std::string bytes = EncodeObjectHeader(header);
    bytes[8] = version;
    const std::uint64_t checksum = Checksum(AsBytes(bytes).first(kObjectHeaderBytes - 8));
    for (std::size_t i = 0; i < 8; ++i) {
      bytes[kObjectHeaderBytes - 8 + i] = static_cast<char>(checksum >> (8 * i));
    }
    return DecodeObjectHeader("a", AsBytes(bytes)).status();
  };
  CHECK(with_version(kSample, 1).ok());
  CHECK(with_version(kGrowing, 2).ok());
  CHECK(absl::IsInvalidArgument(with_version(kSample, 2)));
  CHECK(absl::IsInvalidArgument(with_version(kGrowing, 1)));
  CHECK(absl::IsInvalidArgument(with_version(kGrowing, 3)));
  CHECK(kGrowing.offset() == 2000);
  CHECK(kGrowing.size() == 1000);
}

TEST_CASE("parts begin where the one before ends, and the last has the rest",
          "[protocol][object_header]") {
  std::uint64_t end = 0;
  ObjectHeader header = kSample;
  for (header.part = 0; header.part < header.part_count; ++header.part) {
    CHECK(header.offset() == end);
    end += header.size();
  }
  CHECK(end == header.blob_bytes);
  CHECK(ObjectPartCount(0, 10) == 1);
  CHECK(ObjectPartCount(10, 10) == 1);
  CHECK(ObjectPartCount(11, 10) == 2);
}

TEST_CASE("an object's name is told from a blob's", "[protocol][object_header]") {
  CHECK(ObjectName("s/a", 0xab, 0) == "s/a");
  CHECK(ObjectName("s/a", 0xab, 12) == "s/a~00000000000000ab.12");
  const ObjectPart part = ParseObjectPart("s/a~00000000000000ab.12").value();
  CHECK(part.blob == "s/a");
  CHECK(part.write_id == 0xab);
  for (const std::string name :
       {"s/a", "coordinator~lock", "s/a~00000000000000ab.0", "s/a~00000000000000ab.012",
        "s/a~00000000000000AB.1", "s/a~00000000000000ab.", "s/a~00000000000000ab.1x",
        "s/a~0000000000000ab.1", "s/a~ 0000000000000ab.1", "~"}) {
    CAPTURE(name);
    CHECK(absl::IsInvalidArgument(ParseObjectPart(name).status()));
  }
}

}  // namespace
}  // namespace longtail
