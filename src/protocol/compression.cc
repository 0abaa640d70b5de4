#include "protocol/compression.h"

#include <zstd.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/resize_anew.h"
#include "base/status_macros.h"

namespace longtail {
namespace {

constexpr int kLevel = -1;

}  // namespace

void AppendCompressed(std::string_view bytes, std::string& out) {
  CompressBehind(bytes, out.size(), out);
}

void CompressBehind(std::string_view bytes, std::size_t start, std::string& out) {
  LONGTAIL_CHECK(start <= out.size());
  out.resize(std::max(out.size(), start + ZSTD_compressBound(bytes.size())));
  const std::size_t size =
      ZSTD_compress(out.data() + start, out.size() - start, bytes.data(), bytes.size(), kLevel);
  LONGTAIL_CHECK(ZSTD_isError(size) == 0);  // The room is what zstd asked for.
  out.resize(start + size);
}

absl::StatusOr<std::string> Decompressed(std::span<const std::byte> compressed,
                                         std::uint64_t size) {
  std::string bytes;
  LONGTAIL_RETURN_IF_ERROR(DecompressInto(compressed, size, bytes));
  return bytes;
}

absl::Status DecompressInto(std::span<const std::byte> compressed, std::uint64_t size,
                            std::string& bytes) {
  // Two independent words on the size must agree before memory is taken.
  const unsigned long long framed = ZSTD_getFrameContentSize(compressed.data(), compressed.size());
  if (framed != size) {
    return absl::InvalidArgumentError(absl::StrCat("the compressed body is no zstd frame of ", size,
                                                   " bytes before compression"));
  }
  ResizeAnew(bytes, static_cast<std::size_t>(size));
  const std::size_t got =
      ZSTD_decompress(bytes.data(), bytes.size(), compressed.data(), compressed.size());
  if (ZSTD_isError(got) != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("the compressed body does not decompress: ", ZSTD_getErrorName(got)));
  }
  if (got != size) {
    return absl::InvalidArgumentError(
        absl::StrCat("the compressed body gives ", got, " bytes: want ", size));
  }
  return absl::OkStatus();
}

}  // namespace longtail
