#include "io/seconds_option.h"

#include <charconv>

#include "absl/strings/str_cat.h"

namespace longtail {
namespace {

constexpr int kSecondsMax = 3600;

}  // namespace

absl::Status ReadSecondsOption(const std::string& address, const StoreAddress& parsed,
                               const std::string& name, int seconds_min, absl::Duration& duration) {
  const auto option = parsed.options.find(name);
  if (option == parsed.options.end()) return absl::OkStatus();
  const std::string& text = option->second;
  const char* const end = text.data() + text.size();
  int seconds = 0;
  if (std::from_chars(text.data(), end, seconds).ptr != end || seconds < seconds_min ||
      seconds > kSecondsMax) {
    return absl::InvalidArgumentError(absl::StrCat("store '", address, "': ", name, " '", text,
                                                   "': want ", seconds_min, "..", kSecondsMax,
                                                   " seconds"));
  }
  duration = absl::Seconds(seconds);
  return absl::OkStatus();
}

}  // namespace longtail
