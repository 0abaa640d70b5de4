#include "protocol/lane_image.h"

#include "base/bytes.h"
#include "base/status_macros.h"
#include "protocol/field_reader.h"

namespace longtail {

std::string EncodeLaneImagePart(const LaneBase& base, std::span<const std::string> chunks) {
  std::string out;
  ByteWriter writer(out);
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
