// Any bytes are a snapshot's chunk, a body, a trainer's or a coordinator's state, a segment of a
// log, or an error.
//
// A fuzzer does not guess checksums, so the same bytes are also read with a fitting one, and as a
// body without the header.
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "base/bytes.h"
#include "base/check.h"
#include "protocol/coordinator_state.h"
#include "protocol/lane_base.h"
#include "protocol/lane_image.h"
#include "protocol/lane_log.h"
#include "protocol/snapshot_body.h"
#include "protocol/snapshot_format.h"
#include "protocol/trainer_blob.h"

namespace {

using longtail::AsBytes;
using longtail::AsText;
using longtail::BlobEnvelope;

std::string Sealed(const BlobEnvelope& envelope, std::string_view bytes) {
  std::string blob(bytes);
  if (blob.size() >= envelope.header_bytes) longtail::Seal(envelope, blob);
  return blob;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  static_cast<void>(longtail::ReadSnapshotChunk("fuzz", bytes));
  static_cast<void>(longtail::DecodeTrainerBlob("fuzz", bytes));
  static_cast<void>(longtail::ReadSnapshotChunk(
      "fuzz", AsBytes(Sealed(longtail::kSnapshotEnvelope, AsText(bytes)))));
  static_cast<void>(longtail::DecodeCoordinatorState("fuzz", bytes));
  const std::string sealed = Sealed({.magic = longtail::kCoordinatorStateMagic,
                                     .version = longtail::kCoordinatorStateVersion,
                                     .header_bytes = longtail::kCoordinatorStateHeaderBytes},
                                    AsText(bytes));
  static_cast<void>(longtail::DecodeCoordinatorState("fuzz", AsBytes(sealed)));
  static_cast<void>(longtail::DecodeLaneBase("fuzz", bytes));
  const std::string base = Sealed(longtail::kLaneBaseEnvelope, AsText(bytes));
  if (const auto read = longtail::DecodeLaneBase("fuzz", AsBytes(base)); read.ok()) {
    LONGTAIL_CHECK(longtail::EncodeLaneBase(*read) == base);
  }
  static_cast<void>(longtail::DecodeLaneImagePart("fuzz", bytes));
  for (auto log = longtail::LaneLogReader::Open("fuzz", bytes, 5); log.ok();) {
    const auto message = log->Next();
    if (!message.ok() || !*message) break;
    LONGTAIL_CHECK(log->offset() <= size);
  }
  // Not resealed for the trainer's state: its limit of one GiB is more than a fuzzer's memory.
  longtail::SnapshotChunk chunk;
  if (longtail::DecodeSnapshotBody("fuzz", bytes, chunk).ok()) {
    LONGTAIL_CHECK(longtail::EncodeSnapshotBody(chunk) == AsText(bytes));
  }
  for (const auto values : {longtail::WireValues::kFloat32, longtail::WireValues::kBfloat16,
                            longtail::WireValues::kInt8}) {
    longtail::SnapshotChunk increment;
    increment.header.is_increment = true;
    increment.header.values = values;
    if (!longtail::DecodeSnapshotBody("fuzz", bytes, increment).ok()) continue;
    const std::string again = longtail::EncodeSnapshotBody(increment);
    LONGTAIL_CHECK(values != longtail::WireValues::kFloat32 || again == AsText(bytes));
  }
  return 0;
}
