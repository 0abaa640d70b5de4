#include "protocol/store_write.h"

#include "base/bytes.h"
#include "protocol/checksum.h"
#include "protocol/snapshot_writer.h"

namespace longtail {

StoreAnswer CarryOutWrite(
    const StoreWrite& wanted,
    absl::FunctionRef<absl::Status(const std::string& name, const std::string& bytes)> write) {
  std::string encoded;
  if (wanted.chunk != nullptr) encoded = EncodeSnapshotChunk(*wanted.chunk);
  const std::string& bytes = wanted.chunk != nullptr ? encoded : wanted.bytes;
  return {.ticket = wanted.ticket,
          .status = write(wanted.name, bytes),
          .bytes = bytes.size(),
          .checksum = Checksum(AsBytes(bytes))};
}

}  // namespace longtail
