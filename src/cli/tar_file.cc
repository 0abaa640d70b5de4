#include "cli/tar_file.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "absl/strings/str_format.h"
#include "base/check.h"

namespace longtail::cli {
namespace {

constexpr std::size_t kBlock = 512;
constexpr std::size_t kNameMax = 99;

void PadToBlock(std::string& bytes) {
  bytes.resize((bytes.size() + kBlock - 1) / kBlock * kBlock, '\0');
}

}  // namespace

void TarFile::Add(const std::string& name, std::string_view bytes) {
  LONGTAIL_CHECK(!name.empty() && name.size() <= kNameMax);
  std::string header(kBlock, '\0');
  const auto put = [&](std::size_t at, const std::string& text) {
    std::copy(text.begin(), text.end(), header.begin() + static_cast<std::ptrdiff_t>(at));
  };
  put(0, name);
  put(100, "0000644");
  put(108, "0000000");  // The user and the group: root.
  put(116, "0000000");
  put(124, absl::StrFormat("%011o", bytes.size()));
  put(136, absl::StrFormat("%011o", absl::ToUnixSeconds(time_)));
  put(148, "        ");  // The sum of all bytes is taken with blanks where it stands.
  put(156, "0");
  put(257, "ustar");
  put(263, "00");
  std::uint32_t sum = 0;
  for (const char c : header) sum += static_cast<std::uint8_t>(c);
  put(148, absl::StrFormat("%06o", sum) + std::string(1, '\0') + " ");
  bytes_ += header;
  bytes_.append(bytes.data(), bytes.size());
  PadToBlock(bytes_);
}

std::string TarFile::Bytes() const {
  return bytes_ + std::string(2 * kBlock, '\0');
}

}  // namespace longtail::cli
