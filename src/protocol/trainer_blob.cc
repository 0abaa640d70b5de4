#include "protocol/trainer_blob.h"

#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/check.h"
#include "base/status_macros.h"
#include "protocol/blob_envelope.h"
#include "protocol/compression.h"
#include "protocol/field_reader.h"
#include "protocol/format_limits.h"

namespace longtail {
namespace {

constexpr BlobEnvelope kEnvelope{.magic = kTrainerBlobMagic,
                                 .version = kTrainerBlobVersion,
                                 .header_bytes = kTrainerBlobHeaderBytes};

}  // namespace

absl::StatusOr<std::string> EncodeTrainerBlob(std::string_view payload) {
  if (payload.size() > kTrainerBlobBytesMax) {
    return absl::InvalidArgumentError(absl::StrCat("trainer state of ", payload.size(),
                                                   " bytes: want at most ", kTrainerBlobBytesMax));
  }
  std::string blob;
  ByteWriter writer(blob);
  writer.Bytes(AsBytes(kTrainerBlobMagic));
  writer.U32(kTrainerBlobVersion);
  writer.U32(0);
  writer.U64(payload.size());
  AppendSeal(blob);
  LONGTAIL_CHECK(blob.size() == kTrainerBlobHeaderBytes);
  AppendCompressed(payload, blob);
  Seal(kEnvelope, blob);
  return blob;
}

absl::StatusOr<std::string> DecodeTrainerBlob(std::string_view blob_name,
                                              std::span<const std::byte> blob) {
  const std::string what = absl::StrCat("trainer state '", std::string(blob_name), "'");
  LONGTAIL_RETURN_IF_ERROR(CheckSeal(kEnvelope, what, blob));
  FieldReader reader(what, blob);
  reader.Bytes("magic", kTrainerBlobMagic.size());
  if (reader.U32("version") == 0) reader.Refuse("version", "is 0, ending");
  if (reader.U32("reserved") != 0) reader.Refuse("reserved", "is not zero, ending");
  const std::uint64_t size = reader.U64("payload size");
  if (size > kTrainerBlobBytesMax) {
    reader.Refuse("payload size",
                  absl::StrCat(size, ": want at most ", kTrainerBlobBytesMax, ", ending"));
  }
  LONGTAIL_RETURN_IF_ERROR(reader.status());
  absl::StatusOr<std::string> payload = Decompressed(blob.subspan(kTrainerBlobHeaderBytes), size);
  if (payload.ok()) return payload;
  return absl::InvalidArgumentError(absl::StrCat(what, ": from byte ", kTrainerBlobHeaderBytes,
                                                 ": ", payload.status().message()));
}

}  // namespace longtail
