#include "protocol/serving_format.h"

#include <cstring>

#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/check.h"
#include "base/status_macros.h"
#include "protocol/checksum.h"
#include "protocol/field_reader.h"
#include "protocol/format_limits.h"
#include "protocol/spec_codec.h"
#include "protocol/value_codec.h"

namespace longtail {
namespace {

constexpr std::size_t kChecksumOffset = kServingFixedBytes - sizeof(std::uint64_t);
constexpr std::size_t kHeaderBytesOffset = 12;
constexpr std::uint32_t kHeaderBytesMax = kServingFixedBytes + kSpecBytesMax + kServingAlignment;

std::size_t Aligned(std::size_t bytes) {
  return (bytes + kServingAlignment - 1) / kServingAlignment * kServingAlignment;
}

// Magic, version, size and checksum of the header: before these nothing in it is believed.
absl::StatusOr<std::uint32_t> CheckHeader(const std::string& what,
                                          std::span<const std::byte> file) {
  if (file.size() < kServingFixedBytes) {
    return absl::DataLossError(absl::StrCat(what, ": truncated at offset ", file.size(),
                                            ": want a header of ", kServingFixedBytes, " bytes"));
  }
  if (AsText(file.first(kServingMagic.size())) != kServingMagic) {
    return absl::InvalidArgumentError(absl::StrCat(what, ": is no serving file: want the magic '",
                                                   std::string(kServingMagic), "' first"));
  }
  std::uint32_t version = 0;
  std::memcpy(&version, file.data() + kServingMagic.size(), sizeof(version));
  if (version != kServingVersion) {
    return absl::InvalidArgumentError(
        absl::StrCat(what, ": serving file of version ", version, ": want ", kServingVersion));
  }
  std::uint32_t header_bytes = 0;
  std::memcpy(&header_bytes, file.data() + kHeaderBytesOffset, sizeof(header_bytes));
  if (header_bytes < kServingFixedBytes || header_bytes > kHeaderBytesMax ||
      header_bytes % kServingAlignment != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat(what, ": header of ", header_bytes, " bytes: want a multiple of ",
                     kServingAlignment, " from ", kServingFixedBytes, " to ", kHeaderBytesMax));
  }
  if (file.size() < header_bytes) {
    return absl::DataLossError(absl::StrCat(what, ": truncated at offset ", file.size(),
                                            ": want a header of ", header_bytes, " bytes"));
  }
  std::uint64_t checksum = 0;
  std::memcpy(&checksum, file.data() + kChecksumOffset, sizeof(checksum));
  const std::uint64_t found =
      Checksum(file.first(kChecksumOffset),
               file.subspan(kServingFixedBytes, header_bytes - kServingFixedBytes));
  if (found != checksum) {
    return absl::DataLossError(absl::StrCat(what, ": checksum ", ChecksumHex(found),
                                            " over the header: want ", ChecksumHex(checksum)));
  }
  return header_bytes;
}

}  // namespace

std::uint64_t ServingHeaderBytes(const TableSpec& spec) {
  return Aligned(kServingFixedBytes + EncodeTableSpec(spec).size());
}

std::uint64_t ServingBlockCount(const ServingHeader& header) {
  return (header.directory - header.header_bytes + kServingBlockBytes - 1) / kServingBlockBytes;
}

std::string EncodeServingHeader(const ServingHeader& header) {
  std::string spec = EncodeTableSpec(header.spec);
  const auto spec_bytes = static_cast<std::uint32_t>(spec.size());
  LONGTAIL_CHECK(header.header_bytes == Aligned(kServingFixedBytes + spec.size()));
  spec.resize(header.header_bytes - kServingFixedBytes);
  std::string bytes;
  ByteWriter writer(bytes);
  writer.Bytes(AsBytes(kServingMagic));
  writer.U32(kServingVersion);
  writer.U32(static_cast<std::uint32_t>(header.header_bytes));
  writer.U32(static_cast<std::uint32_t>(header.kind));
  writer.U32(static_cast<std::uint32_t>(header.values));
  writer.U32(header.row_bytes);
  writer.U32(header.segments);
  writer.U64(header.rows);
  writer.U64(header.gone);
  writer.U64(header.step);
  writer.U64(header.checkpoint);
  writer.U64(header.base);
  writer.U64(Checksum(AsBytes(std::string_view(spec).substr(0, spec_bytes))));
  writer.U32(spec_bytes);
  writer.U32(0);
  writer.U64(header.directory);
  writer.U64(header.bytes);
  writer.U64(header.tail_checksum);
  writer.U64(0);
  writer.U64(Checksum(AsBytes(bytes), AsBytes(spec)));
  LONGTAIL_CHECK(bytes.size() == kServingFixedBytes);
  return bytes + spec;
}

absl::StatusOr<ServingHeader> DecodeServingHeader(const std::string& what,
                                                  std::span<const std::byte> file) {
  LONGTAIL_ASSIGN_OR_RETURN(const std::uint32_t header_bytes, CheckHeader(what, file));
  FieldReader reader(what, file.first(header_bytes));
  ServingHeader header;
  header.header_bytes = header_bytes;
  reader.Bytes("preamble", 16);
  header.kind =
      ServingKind{reader.Within("kind", 0, static_cast<std::uint32_t>(ServingKind::kChanges))};
  header.values =
      WireValues{static_cast<std::uint8_t>(reader.Within("format of values", 0, kWireValuesMax))};
  header.row_bytes = reader.U32("bytes of a row");
  header.segments = reader.Within("segments", 1, kServingSegmentCountMax);
  header.rows = reader.U64("rows");
  header.gone = reader.U64("keys that went");
  header.step = reader.Step("step");
  header.checkpoint = reader.U64("checkpoint");
  header.base = reader.U64("base");
  const std::uint64_t spec_checksum = reader.U64("checksum of the spec");
  const std::uint32_t spec_bytes = reader.Within("bytes of the spec", 1, kSpecBytesMax);
  if (reader.U32("reserved") != 0) reader.Refuse("reserved", "is not zero, ending");
  header.directory = reader.U64("directory");
  header.bytes = reader.U64("bytes");
  header.tail_checksum = reader.U64("checksum of the directory");
  if (reader.U64("reserved") != 0) reader.Refuse("reserved", "is not zero, ending");
  reader.U64("checksum");
  const std::span<const std::byte> encoded = reader.Bytes("spec", spec_bytes);
  LONGTAIL_RETURN_IF_ERROR(reader.status());
  const absl::StatusOr<TableSpec> spec = DecodeTableSpec(encoded);
  if (!spec.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(what, ": ", spec.status().message()));
  }
  header.spec = *spec;
  const std::uint64_t want = PackedRowBytes(header.values, header.spec.dim);
  if (!std::has_single_bit(header.segments)) {
    reader.Refuse("segments", absl::StrCat(header.segments, ": want a power of two, ending"));
  } else if (header.row_bytes != want) {
    reader.Refuse("bytes of a row", absl::StrCat(header.row_bytes, ": want ", want, " for dim ",
                                                 header.spec.dim, ", ending"));
  } else if (spec_checksum != Checksum(encoded)) {
    reader.Refuse("checksum of the spec", "is not that of its bytes, ending");
  } else if (header.kind == ServingKind::kRows && (header.gone != 0 || header.base != 0)) {
    reader.Refuse("keys that went", "or a base of a file of all rows: want 0, ending");
  } else if (ServingHeaderBytes(header.spec) != header_bytes) {
    reader.Refuse("spec", absl::StrCat("of ", spec_bytes, " bytes in a header of ", header_bytes));
  }
  LONGTAIL_RETURN_IF_ERROR(reader.status());
  if (header.bytes != file.size()) {
    return absl::DataLossError(absl::StrCat(
        what, file.size() < header.bytes ? ": truncated at offset " : ": has ", file.size(),
        file.size() < header.bytes ? "" : " bytes", ": want ", header.bytes, " bytes"));
  }
  if (header.directory < header_bytes || header.directory > header.bytes ||
      header.directory % kServingAlignment != 0 ||
      header.bytes - header.directory != header.segments * kServingSegmentBytes +
                                             sizeof(std::uint64_t) * ServingBlockCount(header)) {
    return absl::InvalidArgumentError(absl::StrCat(
        what, ": directory at byte ", header.directory, " of ", header.bytes,
        ": want it where the entries of ", header.segments, " segments fit behind it"));
  }
  const std::uint64_t found = Checksum(file.subspan(header.directory));
  if (found != header.tail_checksum) {
    return absl::DataLossError(absl::StrCat(what, ": checksum ", ChecksumHex(found), " over bytes ",
                                            header.directory, "..", header.bytes, ": want ",
                                            ChecksumHex(header.tail_checksum)));
  }
  return header;
}

void AppendServingSegment(const ServingSegment& segment, std::string& directory) {
  ByteWriter writer(directory);
  writer.U64(segment.offset);
  writer.U32(segment.home_lines);
  writer.U32(segment.lines);
  writer.U32(segment.rows);
  writer.U32(segment.gone);
}

absl::StatusOr<ServingSegment> DecodeServingSegment(const std::string& what,
                                                    std::span<const std::byte> file,
                                                    const ServingHeader& header,
                                                    std::uint32_t number) {
  LONGTAIL_CHECK(number < header.segments);
  ByteReader reader(
      file.subspan(header.directory + number * kServingSegmentBytes, kServingSegmentBytes));
  ServingSegment segment;
  segment.offset = reader.U64();
  segment.home_lines = reader.U32();
  segment.lines = reader.U32();
  segment.rows = reader.U32();
  segment.gone = reader.U32();
  const std::uint64_t keys = std::uint64_t{segment.rows} + segment.gone;
  const std::uint64_t size = sizeof(ServingLine) * std::uint64_t{segment.lines} +
                             std::uint64_t{header.row_bytes} * segment.rows;
  const bool is_whole =
      segment.offset % kServingAlignment == 0 && segment.offset >= header.header_bytes &&
      segment.offset <= header.directory && size <= header.directory - segment.offset &&
      segment.home_lines <= segment.lines && (segment.home_lines != 0 || segment.lines == 0) &&
      keys <= ServingLine::kKeys * std::uint64_t{segment.lines} && segment.rows <= header.rows &&
      segment.gone <= header.gone;
  if (is_whole) return segment;
  return absl::InvalidArgumentError(absl::StrCat(
      what, ": segment ", number, ": ", segment.lines, " lines (", segment.home_lines,
      " of them homes), ", segment.rows, " rows and ", segment.gone, " keys that went at byte ",
      segment.offset, ": want what fits before the directory at byte ", header.directory));
}

}  // namespace longtail
