// The lines of a byte source, one after the other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "examples/common/data/byte_source.h"

namespace longtail::examples {

/// The longest line accepted, in bytes, without its end. Bounds the memory of every reader.
inline constexpr std::size_t kLineSizeMax = std::size_t{1} << 20;

/// Ends of lines are "\n" or "\r\n"; the last line needs none. A UTF-8 byte order mark before the
/// first line is dropped. Otherwise bytes are bytes: no encoding is assumed.
class LineReader {
 public:
  /// `name` is the file's, for messages.
  LineReader(std::string name, std::unique_ptr<ByteSource> source);

  /// Sets `line`, valid until the next call, and returns true; false at the end.
  ///
  /// Errors: ResourceExhausted if the line is longer than kLineSizeMax; what the source says.
  [[nodiscard]] absl::StatusOr<bool> Next(std::string_view& line);

  /// The number of the line that Next gave last, from 1; 0 before the first.
  std::uint64_t line_number() const { return line_number_; }

  const std::string& name() const { return name_; }

 private:
  absl::Status Refill();

  std::string name_;
  std::unique_ptr<ByteSource> source_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0;  // buffer_[begin_, end_) is read from the source and not given yet.
  std::size_t end_ = 0;
  bool at_end_ = false;  // The source has no more.
  std::uint64_t line_number_ = 0;
};

}  // namespace longtail::examples
