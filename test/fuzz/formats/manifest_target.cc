// Any bytes are a manifest or an error; what is read is written and read again.
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "base/check.h"
#include "protocol/checksum.h"
#include "protocol/format_limits.h"
#include "protocol/json_reader.h"
#include "protocol/manifest.h"
#include "protocol/manifest_checksum.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using nlohmann::json;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  static_cast<void>(longtail::DecodeManifest("fuzz", text));
  // Once more with a checksum that fits, which no fuzzer guesses.
  absl::StatusOr<json> document = longtail::ParseJson("fuzz", text, longtail::kManifestDepthMax);
  if (!document.ok() || !document->is_object()) return 0;
  (*document)[std::string(longtail::kManifestChecksumField)] =
      longtail::ChecksumHex(longtail::ManifestChecksum(*document));
  const auto manifest = longtail::DecodeManifest("fuzz", document->dump());
  if (!manifest.ok()) return 0;
  const std::string again = longtail::EncodeManifest(*manifest);
  const auto reread = longtail::DecodeManifest("fuzz", again);
  LONGTAIL_CHECK(reread.ok());
  LONGTAIL_CHECK(longtail::EncodeManifest(*reread) == again);
  return 0;
}
