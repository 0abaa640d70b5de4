// Streaming decompressors over another byte source.
#pragma once

#include <memory>
#include <string>

#include "examples/common/data/byte_source.h"

namespace longtail::examples {

/// The decompressed bytes of one or more gzip members. Errors name `name`.
std::unique_ptr<ByteSource> MakeGzipSource(std::string name, std::unique_ptr<ByteSource> source);

/// The decompressed bytes of one or more zstd frames. Errors name `name`.
std::unique_ptr<ByteSource> MakeZstdSource(std::string name, std::unique_ptr<ByteSource> source);

}  // namespace longtail::examples
