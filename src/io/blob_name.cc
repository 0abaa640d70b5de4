#include "io/blob_name.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "protocol/format_limits.h"

namespace longtail {
namespace {

constexpr std::size_t kShownNameSizeMax = 100;

bool IsNameCharacter(char c) {
  return ('a' <= c && c <= 'z') || ('A' <= c && c <= 'Z') || ('0' <= c && c <= '9') || c == '.' ||
         c == '_' || c == '-';
}

}  // namespace

absl::Status ValidateBlobName(std::string_view name) {
  const auto refuse = [&](std::string_view why) {
    return absl::InvalidArgumentError(absl::StrCat(
        "blob name '", std::string(name.substr(0, kShownNameSizeMax)), "': ", std::string(why)));
  };
  if (name.size() > kBlobNameSizeMax) {
    return refuse(absl::StrCat(name.size(), " characters: want at most ", kBlobNameSizeMax));
  }
  for (std::size_t begin = 0; begin <= name.size();) {
    const std::size_t end = std::min(name.find('/', begin), name.size());
    const std::string_view part = name.substr(begin, end - begin);
    if (part.empty()) return refuse("an empty part: want parts of [a-zA-Z0-9._-] between '/'");
    if (part == "." || part == "..") return refuse("a part '.' or '..' is not allowed");
    if (part.size() > kBlobNamePartSizeMax) {
      return refuse(absl::StrCat("a part of ", part.size(), " characters: want at most ",
                                 kBlobNamePartSizeMax));
    }
    if (!std::all_of(part.begin(), part.end(), IsNameCharacter)) {
      return refuse("want only [a-zA-Z0-9._-] between '/'");
    }
    begin = end + 1;
  }
  return absl::OkStatus();
}

}  // namespace longtail
