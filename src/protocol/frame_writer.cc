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

void FrameWriter::Finish() {
  const std::size_t field_bytes = out_.size() - kFrameHeaderBytes;
  LONGTAIL_CHECK(field_bytes <= std::numeric_limits<std::uint32_t>::max());
  std::size_t size = Aligned(out_.size());
  for (const auto& bytes : bulk_) size += Aligned(bytes.size());
  out_.reserve(size);
  out_.resize(Aligned(out_.size()));
  for (const auto& bytes : bulk_) {
    fields_.Bytes(bytes);
    out_.resize(Aligned(out_.size()));
  }
  fields_.PatchU32(kFrameSizeOffset, static_cast<std::uint32_t>(size));
  fields_.PatchU32(kFrameSizeOffset + sizeof(std::uint32_t),
                   static_cast<std::uint32_t>(std::uint64_t{size} >> 32));
  fields_.PatchU32(kFrameFieldBytesOffset, static_cast<std::uint32_t>(field_bytes));
}

}  // namespace longtail
