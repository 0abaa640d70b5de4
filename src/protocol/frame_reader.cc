#include "protocol/frame_reader.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <iterator>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "protocol/format_limits.h"

namespace longtail {
namespace {

bool AllZero(std::span<const std::byte> bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](std::byte b) { return b == std::byte{0}; });
}

// The bulk's arrays as they travelled, and copies of those that could not stay there.
struct Owners {
  std::shared_ptr<const void> parts;
  std::shared_ptr<const void> copy;
};

struct Header {
  MessageKind kind{};
  std::uint64_t frame_bytes = 0;
  std::uint32_t field_bytes = 0;
};

// `head` is the frame's beginning, `frame_size` bytes came in all.
absl::StatusOr<Header> ReadHeader(std::span<const std::byte> head, std::uint64_t frame_size) {
  FieldReader reader("message", head);
  Header header;
  if (const std::uint32_t magic = reader.U32("magic"); magic != kFrameMagic) {
    reader.Refuse("magic", "is not \"LTMS\": no Longtail message, ending");
  }
  const std::uint16_t version = reader.U16("version");
  if (version != kFrameVersion) {
    reader.Refuse("version", absl::StrCat(version, ": this program reads version ", kFrameVersion,
                                          ", ending"));
  }
  const std::uint16_t kind = reader.U16("kind");
  if (kind == 0 || kind >= kMessageKindNames.size()) {
    reader.Refuse("kind",
                  absl::StrCat(kind, ": want 1..", kMessageKindNames.size() - 1, ", ending"));
  }
  header.kind = static_cast<MessageKind>(kind);
  header.frame_bytes = reader.U64("frame size");
  if (frame_size > kMessageBytesMax) {
    reader.Refuse("frame size",
                  absl::StrCat(frame_size, ": want at most ", kMessageBytesMax, ", ending"));
  }
  if (header.frame_bytes != frame_size) {
    reader.Refuse("frame size",
                  absl::StrCat(header.frame_bytes, ": but ", frame_size, " bytes came, ending"));
  }
  header.field_bytes = reader.U32("field size");
  if (reader.U32("reserved") != 0) reader.Refuse("reserved", "is not zero, ending");
  if (header.field_bytes > reader.remaining()) {
    reader.Refuse("field size", absl::StrCat(header.field_bytes, ": but ", reader.remaining(),
                                             " bytes remain, ending"));
  }
  LONGTAIL_RETURN_IF_ERROR(reader.status());
  return header;
}

}  // namespace

FrameReader::FrameReader(MessageKind kind, std::string what, std::span<const std::byte> fields,
                         std::size_t bulk_offset)
    : kind_(kind), what_(std::move(what)), fields_(what_, fields), bulk_offset_(bulk_offset) {
  fields_.Bytes("header", kFrameHeaderBytes);  // Checked already; so that offsets are the frame's.
}

absl::StatusOr<FrameReader> FrameReader::Open(std::span<const std::byte> frame) {
  return Open(std::span<const std::span<const std::byte>>(&frame, 1), nullptr);
}

absl::StatusOr<FrameReader> FrameReader::Open(std::span<const std::span<const std::byte>> parts,
                                              std::shared_ptr<const void> owner) {
  if (parts.empty()) return absl::InvalidArgumentError("message: without any bytes");
  const std::span<const std::byte> head = parts[0];
  std::uint64_t frame_size = 0;
  for (const auto& part : parts) frame_size += part.size();
  LONGTAIL_ASSIGN_OR_RETURN(const Header header, ReadHeader(head, frame_size));
  const std::string what = absl::StrCat(
      "message ", std::string(kMessageKindNames[static_cast<std::size_t>(header.kind)]));
  const std::size_t fields_end = kFrameHeaderBytes + header.field_bytes;
  const std::size_t bulk_begin =
      (fields_end + kFrameAlignment - 1) / kFrameAlignment * kFrameAlignment;
  if (bulk_begin > head.size() || !AllZero(head.subspan(fields_end, bulk_begin - fields_end))) {
    return absl::InvalidArgumentError(
        absl::StrCat(what, ": the fields, which end at byte ", fields_end, " of ", head.size(),
                     ", are not followed by zeros up to a multiple of ", kFrameAlignment));
  }
  FrameReader reader(header.kind, what, head.first(fields_end), bulk_begin);
  reader.owner_ = std::move(owner);
  reader.parts_.reserve(parts.size());
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const auto bytes = i == 0 ? head.subspan(bulk_begin) : parts[i];
    if (bytes.empty()) continue;
    reader.parts_.push_back({reader.bulk_size_, bytes});
    reader.bulk_size_ += bytes.size();
  }
  return reader;
}

std::size_t FrameReader::TakeBulk(std::string_view name, std::uint64_t size,
                                  std::size_t element_bytes) {
  if (!ok()) return 0;
  const std::size_t remaining = bulk_size_ - taken_;
  if (size > remaining / element_bytes) {
    RefuseBulk(name, absl::StrCat("of ", size, " elements of ", element_bytes, " bytes, but ",
                                  remaining, " bytes remain,"));
    return 0;
  }
  const std::size_t at = taken_;
  const std::size_t end = at + static_cast<std::size_t>(size) * element_bytes;
  const std::size_t aligned = (end + kFrameAlignment - 1) / kFrameAlignment * kFrameAlignment;
  if (aligned > bulk_size_ || !IsZero(end, aligned)) {
    RefuseBulk(name,
               absl::StrCat("is not followed by zeros up to a multiple of ", kFrameAlignment));
    return 0;
  }
  taken_ = aligned;
  return at;
}

const FrameReader::Part& FrameReader::PartAt(std::size_t at) const {
  return *std::prev(
      std::upper_bound(parts_.begin(), parts_.end(), at,
                       [](std::size_t want, const Part& p) { return want < p.begin; }));
}

bool FrameReader::IsZero(std::size_t begin, std::size_t end) const {
  for (std::size_t at = begin; at < end; ++at) {
    const Part& part = PartAt(at);
    if (part.bytes[at - part.begin] != std::byte{0}) return false;
  }
  return true;
}

void FrameReader::CopyBulk(std::size_t at, std::size_t size, std::byte* to) const {
  while (size > 0) {
    const Part& part = PartAt(at);
    const std::size_t n = std::min(size, part.begin + part.bytes.size() - at);
    std::memcpy(to, part.bytes.data() + (at - part.begin), n);
    at += n;
    to += n;
    size -= n;
  }
}

const std::byte* FrameReader::InPlace(std::size_t at, std::size_t size, std::size_t alignment) {
  const Part& part = PartAt(at);
  const std::byte* const data = part.bytes.data() + (at - part.begin);
  if (at + size > part.begin + part.bytes.size() ||
      reinterpret_cast<std::uintptr_t>(data) % alignment != 0) {
    return nullptr;
  }
  is_in_place_ = true;
  return data;
}

const std::byte* FrameReader::Copied(std::size_t at, std::size_t size) {
  if (copy_ == nullptr) {
    // new aligns for every number type, as `at` is a multiple of 8 and so is every later one. What
    // is allocated came already; what is not copied there is not touched.
    copy_ = std::shared_ptr<std::byte[]>(new std::byte[bulk_size_ - at]);
    copy_begin_ = at;
  }
  std::byte* const to = copy_.get() + (at - copy_begin_);
  CopyBulk(at, size, to);
  return to;
}

std::shared_ptr<const void> FrameReader::bulk_owner() const {
  if (!is_in_place_) return copy_;
  if (copy_ == nullptr) return owner_;
  return std::make_shared<const Owners>(Owners{owner_, copy_});
}

void FrameReader::RefuseBulk(std::string_view name, std::string_view problem) {
  if (!ok()) return;
  status_ = absl::InvalidArgumentError(absl::StrCat(what_, ": bulk array ", std::string(name), " ",
                                                    std::string(problem), " at byte ",
                                                    bulk_offset_ + taken_));
}

absl::Status FrameReader::Finish() {
  LONGTAIL_RETURN_IF_ERROR(status_);  // Of the bulk: only ever the first error.
  fields_.End();
  LONGTAIL_RETURN_IF_ERROR(fields_.status());
  if (taken_ < bulk_size_) RefuseBulk("end", "is followed by bytes that no field names");
  return status_;
}

}  // namespace longtail
