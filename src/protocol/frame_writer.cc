#include "protocol/frame_writer.h"

#include <limits>

#include "base/check.h"

namespace longtail {
namespace {

std::size_t Aligned(std::size_t size) {
  return (size + kFrameAlignment - 1) / kFrameAlignment * kFrameAlignment;
}

}  // namespace

FrameWriter::FrameWriter(MessageKind kind, std::string& out) : out_(out), fields_(out) {
  out_.clear();
  fields_.U32(kFrameMagic);
  fields_.U16(kFrameVersion);
  fields_.U16(static_cast<std::uint16_t>(kind));
  fields_.U64(0);  // Size of the frame, by Finish.
  fields_.U32(0);  // Size of the fields, by Finish.
  fields_.U32(0);
}

void FrameWriter::Count(std::size_t count) {
  LONGTAIL_CHECK(count <= std::numeric_limits<std::uint32_t>::max());
  fields_.U32(static_cast<std::uint32_t>(count));
}

void FrameWriter::CompleteHeader(std::size_t field_bytes, std::uint64_t frame_bytes) {
  LONGTAIL_CHECK(field_bytes <= std::numeric_limits<std::uint32_t>::max());
  fields_.PatchU32(kFrameSizeOffset, static_cast<std::uint32_t>(frame_bytes));
  fields_.PatchU32(kFrameSizeOffset + sizeof(std::uint32_t),
                   static_cast<std::uint32_t>(frame_bytes >> 32));
  fields_.PatchU32(kFrameFieldBytesOffset, static_cast<std::uint32_t>(field_bytes));
}

void FrameWriter::Finish() {
  const std::size_t field_bytes = out_.size() - kFrameHeaderBytes;
  std::size_t size = Aligned(out_.size());
  for (const auto& bytes : bulk_) size += Aligned(bytes.size());
  out_.reserve(size);
  out_.resize(Aligned(out_.size()));
  for (const auto& bytes : bulk_) {
    fields_.Bytes(bytes);
    out_.resize(Aligned(out_.size()));
  }
  CompleteHeader(field_bytes, size);
}

void FrameWriter::FinishInPieces(std::size_t array_bytes_min, std::vector<FramePiece>& pieces) {
  const std::size_t field_bytes = out_.size() - kFrameHeaderBytes;
  pieces.clear();
  out_.resize(Aligned(out_.size()));
  std::size_t begin = 0;
  std::uint64_t array_bytes = 0;
  std::size_t text_bytes = out_.size();  // At most: neighbours may stay together.
  for (const auto& bytes : bulk_) {
    text_bytes += bytes.size() < array_bytes_min ? Aligned(bytes.size()) : kFrameAlignment;
  }
  out_.reserve(text_bytes);
  for (std::size_t i = 0; i < bulk_.size();) {
    std::span<const std::byte> bytes = bulk_[i++];
    // Arrays that lie as they are to travel are one: the keys of a request's partitions.
    while (i < bulk_.size() && bytes.size() % kFrameAlignment == 0 &&
           bytes.data() + bytes.size() == bulk_[i].data()) {
      bytes = {bytes.data(), bytes.size() + bulk_[i++].size()};
    }
    if (bytes.size() < array_bytes_min) {
      fields_.Bytes(bytes);
    } else {
      pieces.push_back({begin, out_.size() - begin, bytes});
      begin = out_.size();
      array_bytes += bytes.size();
    }
    out_.resize(out_.size() + Aligned(bytes.size()) - bytes.size());
  }
  if (begin != out_.size()) pieces.push_back({begin, out_.size() - begin, {}});
  CompleteHeader(field_bytes, out_.size() + array_bytes);
}

}  // namespace longtail
