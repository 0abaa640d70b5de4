// A file's bytes, mapped or copied for reading.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "absl/status/statusor.h"
#include "longtail/serving.h"

namespace longtail::serving {

/// Thread: any; immutable. The file may be replaced or removed meanwhile, but not written to.
class MappedFile {
 public:
  /// With kCopied the bytes are copied, and the file may change behind that.
  ///
  /// Errors: NotFound; InvalidArgument (no file); PermissionDenied; Unavailable.
  static absl::StatusOr<std::unique_ptr<MappedFile>> Open(const std::string& path,
                                                          ServingMemory memory);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  std::span<const std::byte> bytes() const { return {data_, size_}; }

 private:
  MappedFile(const std::byte* data, std::size_t size, std::size_t mapped)
      : data_(data), size_(size), mapped_(mapped) {}

  const std::byte* const data_;
  const std::size_t size_;
  const std::size_t mapped_;  // With what a whole number of huge pages takes more.
};

}  // namespace longtail::serving
