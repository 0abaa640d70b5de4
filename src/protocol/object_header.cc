#include "protocol/object_header.h"

#include <algorithm>
#include <charconv>

#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/check.h"
#include "base/status_macros.h"
#include "protocol/blob_envelope.h"
#include "protocol/field_reader.h"

namespace longtail {
namespace {

constexpr BlobEnvelope kEnvelope{
    .magic = kObjectMagic, .version = kObjectVersion, .header_bytes = kObjectHeaderBytes};
constexpr std::uint32_t kVersionOfWhole = 1;  // Of a blob that does not grow.
constexpr char kPartMark = '~';
constexpr std::size_t kWriteIdDigits = 16;
constexpr int kHexadecimal = 16;

}  // namespace

std::size_t ObjectHeader::size() const {
  if (grows()) return part_bytes;
  return static_cast<std::size_t>(
      std::min<std::uint64_t>(part_bytes, blob_bytes - std::min(blob_bytes, offset())));
}

std::uint32_t ObjectPartCount(std::uint64_t blob_bytes, std::uint32_t part_bytes) {
  LONGTAIL_CHECK(part_bytes > 0);
  return static_cast<std::uint32_t>(
      std::max<std::uint64_t>(1, (blob_bytes + part_bytes - 1) / part_bytes));
}

std::string ObjectName(std::string_view blob, std::uint64_t write_id, std::uint32_t part) {
  std::string name(blob);
  if (part > 0) absl::StrAppend(&name, "~", absl::Hex(write_id, absl::kZeroPad16), ".", part);
  return name;
}

absl::StatusOr<ObjectPart> ParseObjectPart(std::string_view object) {
  const std::size_t mark = object.rfind(kPartMark);
  ObjectPart parsed;
  std::uint32_t part = 0;
  if (mark != std::string_view::npos) {
    parsed.blob = std::string(object.substr(0, mark));
    const std::string_view rest = object.substr(mark + 1);
    if (rest.size() > kWriteIdDigits) {
      std::from_chars(rest.data(), rest.data() + kWriteIdDigits, parsed.write_id, kHexadecimal);
      std::from_chars(rest.data() + kWriteIdDigits + 1, rest.data() + rest.size(), part);
    }
  }
  // There is one way to spell each.
  if (part > 0 && ObjectName(parsed.blob, parsed.write_id, part) == object) return parsed;
  return absl::InvalidArgumentError(
      absl::StrCat("object name '", std::string(object), "': want NAME~WRITE-ID.PART"));
}

std::string EncodeObjectHeader(const ObjectHeader& header) {
  std::string bytes;
  ByteWriter writer(bytes);
  writer.Bytes(AsBytes(kObjectMagic));
  writer.U32(header.grows() ? kObjectVersion : kVersionOfWhole);
  writer.U32(header.part);
  writer.U32(header.part_count);
  writer.U32(header.part_bytes);
  writer.U64(header.blob_bytes);
  writer.U64(header.write_id);
  writer.U64(header.checksum);
  AppendSeal(bytes);
  LONGTAIL_CHECK(bytes.size() == kObjectHeaderBytes);
  Seal(kEnvelope, bytes);
  return bytes;
}

absl::StatusOr<ObjectHeader> DecodeObjectHeader(const std::string& what,
                                                std::span<const std::byte> bytes) {
  LONGTAIL_RETURN_IF_ERROR(CheckSeal(kEnvelope, what, bytes));
  FieldReader reader(what, bytes);
  reader.Bytes("preamble", kObjectMagic.size());
  const bool grows = reader.U32("version") == kObjectVersion;
  ObjectHeader header;
  header.part = reader.U32("part");
  header.part_count = reader.U32("part count");
  header.part_bytes = reader.Within("part bytes", 1, kObjectBytesMax);
  header.blob_bytes = reader.U64("blob bytes");
  header.write_id = reader.U64("write id");
  header.checksum = reader.U64("checksum");
  if (grows) {
    if (header.part_count != 0 || header.blob_bytes != 0 || header.checksum != 0) {
      reader.Refuse("part count", absl::StrCat(header.part_count, ", blob bytes ",
                                               header.blob_bytes, " and checksum ", header.checksum,
                                               ": want 0 of each in version ", kObjectVersion));
    }
  } else if (reader.ok() &&
             (header.part >= header.part_count ||
              header.blob_bytes / header.part_bytes > header.part_count ||
              header.part_count != ObjectPartCount(header.blob_bytes, header.part_bytes))) {
    reader.Refuse("part",
                  absl::StrCat(header.part, " of ", header.part_count, " with ", header.part_bytes,
                               " bytes each: want what makes ", header.blob_bytes));
  }
  LONGTAIL_RETURN_IF_ERROR(reader.status());
  return header;
}

}  // namespace longtail
