// A file that is there under its name when it is whole, and not before.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace longtail::checkpoint {

/// Written as PATH~ and renamed at the end. Without Finish nothing is left.
///
/// Thread: one at a time.
class OutputFile {
 public:
  /// Errors: InvalidArgument (no name); NotFound (no such directory); Unavailable.
  static absl::StatusOr<std::unique_ptr<OutputFile>> Create(const std::string& path);
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  /// Errors: ResourceExhausted (disk full, quota); Unavailable.
  absl::Status Append(std::string_view bytes);

  /// Overwrites what was appended at `offset`.
  absl::Status Patch(std::uint64_t offset, std::string_view bytes);

  /// Makes the file durable and gives it its name, durably, too, in the place of one that is
  /// there.
  absl::Status Finish();

 private:
  OutputFile(std::string path, int fd);

  absl::Status Flush();

  const std::string path_;
  const std::string unfinished_;
  int fd_;
  std::string buffer_;
};

}  // namespace longtail::checkpoint
