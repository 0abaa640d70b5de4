#include "base/bytes.h"

#include <limits>

#include "absl/strings/str_cat.h"
#include "base/check.h"

namespace longtail {

void ByteWriter::Text(std::string_view text) {
  LONGTAIL_CHECK(text.size() <= std::numeric_limits<std::uint32_t>::max());
  U32(static_cast<std::uint32_t>(text.size()));
  Raw(text.data(), text.size());
}

void ByteWriter::PatchU32(std::size_t offset, std::uint32_t value) {
  LONGTAIL_CHECK(out_.size() >= sizeof(value));
  LONGTAIL_CHECK(offset <= out_.size() - sizeof(value));
  std::memcpy(out_.data() + offset, &value, sizeof(value));
}

std::string_view ByteReader::Text(std::size_t size_max) {
  const std::size_t start = offset_;
  const std::uint32_t size = U32();
  if (size <= size_max) {
    const std::string_view text = AsText(Bytes(size));
    if (ok_) return text;
  }
  ok_ = false;
  offset_ = start;
  return {};
}

absl::Status ByteReader::status(std::string_view what) const {
  if (ok_) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(absl::string_view(what.data(), what.size()),
                                                 ": cut short or wrong at byte ", offset_, " of ",
                                                 bytes_.size()));
}

absl::Status ByteReader::Finish(std::string_view what) const {
  if (!ok_ || remaining() == 0) return status(what);
  return absl::InvalidArgumentError(absl::StrCat(absl::string_view(what.data(), what.size()),
                                                 ": ends at byte ", offset_, " of ", bytes_.size(),
                                                 ": want no bytes after it"));
}

}  // namespace longtail
