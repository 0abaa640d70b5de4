// Any bytes are a message or an error; a message has one encoding.
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "base/bytes.h"
#include "base/check.h"
#include "protocol/wire.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  const absl::StatusOr<longtail::Message> message = longtail::Decode(bytes);
  if (!message.ok()) return 0;
  std::string frame;
  longtail::Encode(*message, frame);
  LONGTAIL_CHECK(frame == longtail::AsText(bytes));
  return 0;
}
