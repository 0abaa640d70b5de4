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

/// A stretch of a frame: a part of the text that the writer made, then an array where it lies.
struct FramePiece {
  std::size_t begin = 0;  ///< In the writer's text.
  std::size_t size = 0;
  std::span<const std::byte> array;  ///< Empty for the last piece, perhaps.
};

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

  /// Completes the frame in pieces whose bytes, one after another, are those that Finish writes:
  /// arrays of at least `array_bytes_min` stay where they are, the others are copied. Neighbours in
  /// the bulk that are neighbours in memory, too, count as one.
  ///
  /// Needs array_bytes_min > 0. The first piece's text holds the header and all fields.
  void FinishInPieces(std::size_t array_bytes_min, std::vector<FramePiece>& pieces);

 private:
  void CompleteHeader(std::size_t field_bytes, std::uint64_t frame_bytes);

  std::string& out_;
  ByteWriter fields_;
  std::vector<std::span<const std::byte>> bulk_;
};

}  // namespace longtail
