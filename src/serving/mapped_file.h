// A file's bytes, mapped for reading.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "absl/status/statusor.h"

namespace longtail::serving {

/// Thread: any; immutable. The file may be replaced or removed meanwhile, but not written to.
class MappedFile {
 public:
  /// Errors: NotFound; InvalidArgument (no file); PermissionDenied; Unavailable.
  static absl::StatusOr<std::unique_ptr<MappedFile>> Open(const std::string& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  std::span<const std::byte> bytes() const { return {data_, size_}; }

 private:
  MappedFile(const std::byte* data, std::size_t size) : data_(data), size_(size) {}

  const std::byte* const data_;
  const std::size_t size_;
};

}  // namespace longtail::serving
