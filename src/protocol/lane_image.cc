#include "protocol/lane_image.h"

#include <limits>
#include <string_view>

#include "base/bytes.h"
#include "base/status_macros.h"
#include "protocol/field_reader.h"

namespace longtail {
namespace {

constexpr std::size_t kEpochBytes = 2 * sizeof(std::uint64_t);
constexpr std::uint64_t kAnyCount = std::numeric_limits<std::uint32_t>::max();

}  // namespace

std::string EncodeLaneImagePart(std::span<const EpochStart> epochs, const LaneBase& base,
                                std::span<const std::string> chunks) {
  std::string out;
  ByteWriter writer(out);
  writer.U32(static_cast<std::uint32_t>(epochs.size()));
  for (const EpochStart& start : epochs) {
    writer.U64(start.epoch);
    writer.U64(start.first);
  }
  const std::string encoded = EncodeLaneBase(base);
  writer.U64(encoded.size());
  writer.Bytes(AsBytes(encoded));
  for (const std::string& chunk : chunks) writer.Bytes(AsBytes(chunk));
  return out;
}

absl::StatusOr<LaneImagePart> DecodeLaneImagePart(const std::string& what,
                                                  std::span<const std::byte> bytes) {
  FieldReader reader(what, bytes);
  LaneImagePart part;
  part.epochs.resize(reader.Count("epoch count", kAnyCount, kEpochBytes));
  for (EpochStart& start : part.epochs) {
    start.epoch = reader.U64("epoch");
    start.first = reader.U64("epoch's first entry");
  }
  const std::span<const std::byte> base = reader.Bytes("base", reader.U64("base bytes"));
  if (!reader.ok()) return reader.status();
  LONGTAIL_ASSIGN_OR_RETURN(part.base, DecodeLaneBase(what, base));
  for (const SnapshotBlob& blob : part.base.blobs) {
    part.chunks.push_back(reader.Bytes(blob.name, blob.bytes));
  }
  reader.End();
  if (!reader.ok()) return reader.status();
  return part;
}

}  // namespace longtail
