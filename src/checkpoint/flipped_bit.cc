#include "checkpoint/flipped_bit.h"

#include "base/bytes.h"
#include "protocol/checksum.h"

namespace longtail::checkpoint {

std::optional<FlippedBit> PutFlippedBitBack(std::string& bytes, std::uint64_t checksum,
                                            std::uint64_t work_max) {
  constexpr int kBitsPerByte = 8;
  std::uint64_t work = 0;
  for (std::size_t byte = 0; byte < bytes.size(); ++byte) {
    for (int bit = 0; bit < kBitsPerByte; ++bit) {
      work += bytes.size();
      if (work > work_max) return std::nullopt;
      const char was = bytes[byte];
      bytes[byte] = static_cast<char>(was ^ (1 << bit));
      if (Checksum(AsBytes(bytes)) == checksum) return FlippedBit{.byte = byte, .bit = bit};
      bytes[byte] = was;
    }
  }
  return std::nullopt;
}

}  // namespace longtail::checkpoint
