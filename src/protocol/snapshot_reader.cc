#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "protocol/blob_envelope.h"
#include "protocol/compression.h"
#include "protocol/field_reader.h"
#include "protocol/format_limits.h"
#include "protocol/snapshot_body.h"
#include "protocol/snapshot_format.h"
#include "protocol/value_codec.h"

namespace longtail {
namespace {

// Gives the size of the body before compression.
std::uint64_t ReadHeader(FieldReader& reader, SnapshotHeader& header) {
  reader.Bytes("magic", kSnapshotMagic.size());
  const std::uint32_t version = reader.U32("version");
  if (version == 0) reader.Refuse("version", "is 0, ending");
  header.partition = PartitionId{reader.Partition()};
  header.partition_count = reader.Within("partition count", 1, kPartitionCountMax);
  if (static_cast<std::uint32_t>(header.partition) >= header.partition_count) {
    reader.Refuse("partition", "is not below the partition count, ending");
  }
  header.chunk = reader.U32("chunk");
  header.is_last = reader.Within("is_last", 0, 1) == 1;
  header.is_increment = version == kSnapshotIncrementVersion;
  const std::uint32_t values = reader.U32("format of values");
  header.values = static_cast<WireValues>(values);
  if (values != 0 &&
      (!header.is_increment || values > kWireValuesMax || !IsIncrementFormat(header.values))) {
    reader.Refuse("format of values", absl::StrCat(values, ": no format that there is, ending"));
  }
  header.log_position = reader.U64("log position");
  header.step = reader.Step("step");
  const std::uint64_t body_bytes = reader.U64("body size");
  if (body_bytes > kSnapshotChunkBytesMax) {
    reader.Refuse("body size",
                  absl::StrCat(body_bytes, ": want at most ", kSnapshotChunkBytesMax, ", ending"));
  }
  return body_bytes;
}

}  // namespace

absl::Status SnapshotReader::Read(std::string_view blob_name, std::span<const std::byte> blob) {
  const std::string what = absl::StrCat("snapshot '", std::string(blob_name), "'");
  // The seal first: what a flipped bit did to a field is damage, not a wrong value.
  LONGTAIL_RETURN_IF_ERROR(CheckSeal(kSnapshotEnvelope, what, blob));
  FieldReader reader(what, blob);
  const std::uint64_t body_bytes = ReadHeader(reader, chunk_.header);
  LONGTAIL_RETURN_IF_ERROR(reader.status());
  const absl::Status body = DecompressInto(blob.subspan(kSnapshotHeaderBytes), body_bytes, body_);
  if (!body.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat(what, ": from byte ", kSnapshotHeaderBytes, ": ", body.message()));
  }
  return DecodeSnapshotBody(what + ", body", AsBytes(body_), chunk_);
}

absl::StatusOr<SnapshotChunk> ReadSnapshotChunk(std::string_view blob_name,
                                                std::span<const std::byte> blob) {
  SnapshotReader reader;
  LONGTAIL_RETURN_IF_ERROR(reader.Read(blob_name, blob));
  return std::move(reader.chunk());
}

}  // namespace longtail
