// The libFuzzer entry of the readers.
#include <cstddef>
#include <cstdint>

#include "read_bytes.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  longtail::examples::fuzz::ReadBytes(data, size);
  return 0;
}
