#include "examples/online/event.h"

#include <algorithm>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace longtail::examples {
namespace {

constexpr std::size_t kFeaturesMax = 1000;
constexpr std::size_t kBytesMax = 64 << 10;
// Year 2286: beyond that it is no time in milliseconds.
constexpr std::int64_t kTimeMax = 9'999'999'999'999;

// The bytes of the character that begins there; 0 if none does.
std::size_t CharacterSize(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return first < 0x20 || first == 0x7F ? 0 : 1;
  const std::size_t size = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < size) return 0;
  for (std::size_t i = 1; i < size; ++i) {
    if (byte(i) < 0x80 || byte(i) > 0xBF) return 0;
  }
  const unsigned char second = byte(1);
  const bool is_wrong = (first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F) ||
                        (first == 0xF0 && second < 0x90) || (first == 0xF4 && second > 0x8F);
  return is_wrong ? 0 : size;
}

bool IsText(std::string_view text) {
  while (!text.empty()) {
    const std::size_t size = CharacterSize(text);
    if (size == 0) return false;
    text.remove_prefix(size);
  }
  return true;
}

}  // namespace

std::string EncodeValue(const Event& event) {
  std::string value = absl::StrCat(event.at_ms);
  for (const std::string& feature : event.features) absl::StrAppend(&value, "\t", feature);
  return value;
}

absl::StatusOr<Event> DecodeEvent(EventKind kind, std::string_view key, std::string_view value) {
  if (key.size() + value.size() > kBytesMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("event of ", key.size() + value.size(), " bytes: want at most ", kBytesMax));
  }
  if (!IsText(key)) return absl::InvalidArgumentError("event: its id is no UTF-8 text");
  const std::vector<std::string> parts = absl::StrSplit(std::string(value), '\t');
  Event event{.kind = key.empty() ? EventKind::kTick : kind, .id = std::string(key)};
  if (!absl::SimpleAtoi(parts[0], &event.at_ms) || event.at_ms < 0 || event.at_ms > kTimeMax) {
    return absl::InvalidArgumentError(
        "event: want a time in milliseconds since 1970, then features, with tabs between");
  }
  if (parts.size() - 1 > kFeaturesMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("event of ", parts.size() - 1, " features: want at most ", kFeaturesMax));
  }
  for (std::size_t i = 1; i < parts.size(); ++i) {
    if (parts[i].empty() || !IsText(parts[i])) {
      return absl::InvalidArgumentError(
          absl::StrCat("event: feature ", i, " is empty or no UTF-8 text"));
    }
    event.features.push_back(parts[i]);
  }
  if (event.kind == EventKind::kImpression && event.features.empty()) {
    return absl::InvalidArgumentError("event: an impression without features");
  }
  return event;
}

}  // namespace longtail::examples
