#include "base/log.h"

#include <cstdio>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace longtail {
namespace {

bool NeedsQuotes(std::string_view value) {
  if (value.empty()) return true;
  for (const char c : value) {
    if (c <= ' ' || c == '"' || c == '=' || c == '\\' || c == '\x7F') return true;
  }
  return false;
}

}  // namespace

LogField::LogField(std::string_view key_in, double number)
    : key(key_in), value(absl::StrCat(number)) {}

std::string_view LogLevelName(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarning:
      return "warning";
    case LogLevel::kError:
      return "error";
  }
  return "unknown";
}

LogSink LogToStderr() {
  return [](LogLevel, std::string_view line) {
    std::string text(line);
    text.push_back('\n');
    std::fwrite(text.data(), 1, text.size(), stderr);
  };
}

void Log::Write(LogLevel level, std::string_view event, Fields fields) const {
  if (!sink_ || level < level_min_) return;
  std::string line(LogLevelName(level));
  line.append(" ").append(event);
  for (const LogField& field : fields) {
    line.append(" ").append(field.key).append("=");
    if (NeedsQuotes(field.value)) {
      line.append("\"").append(absl::CEscape(field.value)).append("\"");
    } else {
      line.append(field.value);
    }
  }
  sink_(level, line);
}

}  // namespace longtail
