#include "examples/common/nn/flat_blob.h"

#include <bit>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace longtail::examples {

static_assert(std::endian::native == std::endian::little, "blobs are written as memory holds them");

std::string EncodeFlatBlob(FlatBlobHeader header, std::span<const float> values) {
  header.count = values.size();
  std::string bytes(sizeof(header) + values.size_bytes(), '\0');
  std::memcpy(bytes.data(), &header, sizeof(header));
  if (!values.empty()) {
    std::memcpy(bytes.data() + sizeof(header), values.data(), values.size_bytes());
  }
  return bytes;
}

absl::Status DecodeFlatBlob(std::string_view bytes, const FlatBlobHeader& want, std::uint64_t& step,
                            std::span<float> values) {
  const std::string magic(want.magic, sizeof(want.magic));
  FlatBlobHeader header;
  if (bytes.size() < sizeof(header)) {
    return absl::DataLossError(absl::StrCat("blob '", magic, "': ", bytes.size(),
                                            " bytes: want at least ", sizeof(header)));
  }
  std::memcpy(&header, bytes.data(), sizeof(header));
  if (std::memcmp(header.magic, want.magic, sizeof(want.magic)) != 0 ||
      header.version != want.version) {
    return absl::DataLossError(absl::StrCat("blob '", magic,
                                            "': other magic or version in its first 8 bytes: want "
                                            "version ",
                                            want.version));
  }
  const std::size_t float_bytes = bytes.size() - sizeof(header);
  if (float_bytes % sizeof(float) != 0 || header.count != float_bytes / sizeof(float)) {
    return absl::DataLossError(absl::StrCat("blob '", magic, "': ", float_bytes,
                                            " bytes of floats: want ", header.count, " floats"));
  }
  if (header.fingerprint != want.fingerprint || header.count != values.size()) {
    return absl::FailedPreconditionError(
        absl::StrCat("blob '", magic, "': ", header.count, " floats of layout ",
                     absl::Hex(header.fingerprint), ": want ", values.size(), " of layout ",
                     absl::Hex(want.fingerprint), "; was it written by another model?"));
  }
  if (!values.empty()) {
    std::memcpy(values.data(), bytes.data() + sizeof(header), values.size_bytes());
  }
  step = header.step;
  return absl::OkStatus();
}

}  // namespace longtail::examples
