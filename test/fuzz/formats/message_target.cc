// Any bytes are a message or an error; a message has one encoding, and is the same in two parts as
// in one.
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
  // Cut somewhere: refused if that is within the fields, else the same message.
  const std::size_t cut = size * 2 / 3;
  const std::span<const std::byte> parts[] = {bytes.first(cut), bytes.subspan(cut)};
  const absl::StatusOr<longtail::Message> joined = longtail::Decode(parts);
  if (!joined.ok()) return 0;
  longtail::Encode(*joined, frame);
  LONGTAIL_CHECK(frame == longtail::AsText(bytes));
  return 0;
}
