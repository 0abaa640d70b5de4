// Puts one message's fields and bulk arrays into a frame (frame.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "protocol/frame.h"

namespace longtail {

class FrameWriter {
 public:
  /// Replaces what is in `out`, which must outlive the writer.
  FrameWriter(MessageKind kind, std::string& out);

  /// For the fields, in the order they are to be read.
  ByteWriter& fields() { return fields_; }

  /// Writes how many there are of something, as 32 bits; FieldReader::Count reads it.
  void Count(std::size_t count);

  /// Adds an array to the bulk part. `values` must stay until Finish. Its size is not written: a
  /// field must say it.
  template <typename T>
  void Bulk(std::span<const T> values) {
    bulk_.push_back(std::as_bytes(values));
  }

  /// Puts the bulk after the fields and completes the header.
  ///
  /// Cost: one allocation, if `out` is too small; one copy of the bulk.
  void Finish();

 private:
  std::string& out_;
  ByteWriter fields_;
  std::vector<std::span<const std::byte>> bulk_;
};

}  // namespace longtail
