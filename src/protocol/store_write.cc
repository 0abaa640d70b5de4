#include "protocol/store_write.h"

#include "base/bytes.h"
#include "protocol/checksum.h"

namespace longtail {

StoreAnswer CarryOutWrite(const StoreWrite& wanted, SnapshotBuffers& buffers, WriteBlob write) {
  const std::string& bytes =
      wanted.chunk != nullptr ? EncodeSnapshotChunk(*wanted.chunk, buffers) : wanted.bytes;
  return {.ticket = wanted.ticket,
          .status = write(wanted.name, bytes),
          .bytes = bytes.size(),
          .checksum = Checksum(AsBytes(bytes))};
}

StoreAnswer CarryOutWrite(const StoreWrite& wanted, WriteBlob write) {
  SnapshotBuffers buffers;
  return CarryOutWrite(wanted, buffers, write);
}

}  // namespace longtail
