// Bytes one after the other: from a file or from memory, decompressed on the way.
//
// Nothing here holds more than a few buffers of kByteBufferSize (and the window of the
// decompressor, at most 128 MiB), however large the file is.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace longtail::examples {

/// The buffers between files, decompressors and line readers, in bytes.
inline constexpr std::size_t kByteBufferSize = std::size_t{256} << 10;

/// A stream of bytes that is read once.
class ByteSource {
 public:
  virtual ~ByteSource() = default;

  /// Fills the front of `target` (not empty) and returns how many bytes it wrote; 0 is the end.
  ///
  /// Errors: Unavailable if the file cannot be read; DataLoss if what is compressed is damaged or
  /// ends early.
  [[nodiscard]] virtual absl::StatusOr<std::size_t> Read(std::span<char> target) = 0;
};

/// How a reader opens the files that a schema names.
using FileOpener = std::function<absl::StatusOr<std::unique_ptr<ByteSource>>(const std::string&)>;

/// The bytes of the file at `path`, decompressed if they begin as gzip or zstd do.
///
/// Errors: NotFound if there is no such file; Unavailable if it cannot be read.
[[nodiscard]] absl::StatusOr<std::unique_ptr<ByteSource>> OpenFile(const std::string& path);

/// `bytes`, decompressed if they begin as gzip or zstd do. `name` is for messages.
[[nodiscard]] absl::StatusOr<std::unique_ptr<ByteSource>> OpenMemory(const std::string& name,
                                                                     std::string bytes);

/// What `source` gives, decompressed if its first bytes are the magic number of gzip or zstd.
[[nodiscard]] absl::StatusOr<std::unique_ptr<ByteSource>> Decompressed(
    const std::string& name, std::unique_ptr<ByteSource> source);

}  // namespace longtail::examples
