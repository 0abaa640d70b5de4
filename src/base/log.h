// One line an event: `level event key=value key=value`.
//
// A Log is passed in where it is needed; there is no global one, and the program's main makes the
// sink. Log state changes, not traffic, and never the data of a row.
//
// Thread: a Log may be used by any thread if its sink may; LogToStderr may.
#pragma once

#include <concepts>
#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace longtail {

enum class LogLevel { kDebug, kInfo, kWarning, kError };

/// "debug", "info", "warning" or "error".
std::string_view LogLevelName(LogLevel level);

/// A named value. Text with a space, a quote, an equals sign or a control character is quoted and
/// escaped when it is written, so that a line stays one line.
struct LogField {
  LogField(std::string_view key_in, std::string_view text) : key(key_in), value(text) {}
  LogField(std::string_view key_in, const char* text) : key(key_in), value(text) {}
  LogField(std::string_view key_in, const std::string& text) : key(key_in), value(text) {}
  LogField(std::string_view key_in, bool truth) : key(key_in), value(truth ? "true" : "false") {}
  LogField(std::string_view key_in, double number);
  template <std::integral T>
  LogField(std::string_view key_in, T number) : key(key_in), value(std::to_string(number)) {}

  std::string_view key;
  std::string value;
};

/// Takes one finished line, without its line end.
using LogSink = std::function<void(LogLevel level, std::string_view line)>;

/// A sink that writes each line to stderr in one call.
LogSink LogToStderr();

/// Drops what lies below a level and hands the rest to a sink.
class Log {
 public:
  using Fields = std::initializer_list<LogField>;

  /// A log that drops everything.
  Log() = default;
  explicit Log(LogSink sink, LogLevel level_min = LogLevel::kInfo)
      : sink_(std::move(sink)), level_min_(level_min) {}

  void Debug(std::string_view event, Fields fields = {}) const {
    Write(LogLevel::kDebug, event, fields);
  }
  void Info(std::string_view event, Fields fields = {}) const {
    Write(LogLevel::kInfo, event, fields);
  }
  void Warning(std::string_view event, Fields fields = {}) const {
    Write(LogLevel::kWarning, event, fields);
  }
  void Error(std::string_view event, Fields fields = {}) const {
    Write(LogLevel::kError, event, fields);
  }

  void Write(LogLevel level, std::string_view event, Fields fields) const;

 private:
  LogSink sink_;
  LogLevel level_min_ = LogLevel::kInfo;
};

}  // namespace longtail
