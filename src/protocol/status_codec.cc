#include "protocol/status_codec.h"

#include <cstdint>
#include <string_view>

#include "protocol/format_limits.h"

namespace longtail {

void EncodeStatus(const absl::Status& status, ByteWriter& writer) {
  writer.U32(static_cast<std::uint32_t>(status.code()));
  const absl::string_view message = status.message();
  writer.Text(std::string_view(message.data(), message.size()).substr(0, kStatusMessageSizeMax));
}

absl::Status DecodeStatus(FieldReader& reader) {
  const std::uint32_t code = reader.Within(
      "status code", 0, static_cast<std::uint32_t>(absl::StatusCode::kUnauthenticated));
  const std::string_view message = reader.Text("status message", kStatusMessageSizeMax);
  if (code == 0 && !message.empty()) reader.Refuse("status message", "with code 0 (OK), ending");
  if (!reader.ok() || code == 0) return absl::OkStatus();
  return absl::Status(static_cast<absl::StatusCode>(code),
                      absl::string_view(message.data(), message.size()));
}

}  // namespace longtail
