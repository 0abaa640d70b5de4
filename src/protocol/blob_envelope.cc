#include "protocol/blob_envelope.h"

#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/check.h"
#include "protocol/checksum.h"

namespace longtail {
namespace {

constexpr std::size_t kFieldBytes = sizeof(std::uint64_t);
constexpr std::size_t kMagicBytes = 8;
constexpr std::size_t kPreambleBytes = kMagicBytes + sizeof(std::uint32_t);

void PatchU64(ByteWriter& writer, std::size_t offset, std::uint64_t value) {
  writer.PatchU32(offset, static_cast<std::uint32_t>(value));
  writer.PatchU32(offset + sizeof(std::uint32_t), static_cast<std::uint32_t>(value >> 32));
}

absl::Status Truncated(const std::string& what, std::size_t size, std::size_t want) {
  return absl::DataLossError(
      absl::StrCat(what, ": truncated at byte ", size, ": its header has ", want));
}

}  // namespace

void AppendSeal(std::string& blob) {
  blob.append(2 * kFieldBytes, '\0');
}

void Seal(const BlobEnvelope& envelope, std::string& blob) {
  LONGTAIL_CHECK(blob.size() >= envelope.header_bytes);
  const std::size_t checksum_offset = envelope.header_bytes - kFieldBytes;
  ByteWriter writer(blob);
  PatchU64(writer, checksum_offset - kFieldBytes, blob.size() - envelope.header_bytes);
  const auto bytes = AsBytes(blob);
  PatchU64(writer, checksum_offset,
           Checksum(bytes.first(checksum_offset), bytes.subspan(envelope.header_bytes)));
}

absl::Status CheckSeal(const BlobEnvelope& envelope, const std::string& what,
                       std::span<const std::byte> blob) {
  // A stump of a few bytes is damage if they are ours so far.
  const std::string_view begin = AsText(blob).substr(0, kMagicBytes);
  if (begin != envelope.magic.substr(0, begin.size())) {
    return absl::InvalidArgumentError(absl::StrCat(what, ": foreign: at byte 0 it has no magic '",
                                                   std::string(envelope.magic), "'"));
  }
  if (blob.size() < kPreambleBytes) return Truncated(what, blob.size(), envelope.header_bytes);
  const std::uint32_t version = ByteReader(blob.subspan(kMagicBytes)).U32();
  if (version > envelope.version) {
    return absl::InvalidArgumentError(
        absl::StrCat(what, ": format version ", version, " at byte ", kMagicBytes,
                     " is newer than the newest that this program reads, ", envelope.version));
  }
  if (blob.size() < envelope.header_bytes) {
    return Truncated(what, blob.size(), envelope.header_bytes);
  }
  const std::size_t checksum_offset = envelope.header_bytes - kFieldBytes;
  ByteReader reader(blob.subspan(checksum_offset - kFieldBytes));
  const std::uint64_t stored_bytes = reader.U64();
  const std::uint64_t want = reader.U64();
  if (stored_bytes != blob.size() - envelope.header_bytes) {
    return absl::DataLossError(
        absl::StrCat(what, ": truncated or damaged: ", blob.size() - envelope.header_bytes,
                     " bytes follow byte ", envelope.header_bytes, ", but at byte ",
                     checksum_offset - kFieldBytes, " its header says ", stored_bytes));
  }
  const std::uint64_t found =
      Checksum(blob.first(checksum_offset), blob.subspan(envelope.header_bytes));
  if (found != want) {
    return absl::DataLossError(absl::StrCat(what, ": damaged: the checksum of its ", blob.size(),
                                            " bytes is ", ChecksumHex(found), ", at byte ",
                                            checksum_offset, " it is ", ChecksumHex(want)));
  }
  return absl::OkStatus();
}

}  // namespace longtail
