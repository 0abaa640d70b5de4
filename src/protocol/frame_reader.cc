#include "protocol/frame_reader.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "protocol/format_limits.h"

namespace longtail {
namespace {

constexpr std::array<const char*, 27> kKindNames = {"",
                                                    "PullRequest",
                                                    "PushRequest",
                                                    "BarrierRequest",
                                                    "PullReply",
                                                    "Acknowledgement",
                                                    "OpenSession",
                                                    "CloseSession",
                                                    "CreateTable",
                                                    "StatisticsRequest",
                                                    "StatisticsReply",
                                                    "SnapshotRequest",
                                                    "SnapshotReply",
                                                    "ImportRows",
                                                    "ImportStep",
                                                    "JoinServer",
                                                    "JoinWorker",
                                                    "WorkerPlace",
                                                    "Heartbeat",
                                                    "LeaveWorker",
                                                    "MapRequest",
                                                    "MapReply",
                                                    "DefineTable",
                                                    "TableReply",
                                                    "MembersRequest",
                                                    "MembersReply",
                                                    "EnterBarrier"};

bool AllZero(std::span<const std::byte> bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](std::byte b) { return b == std::byte{0}; });
}

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
  if (kind == 0 || kind >= kKindNames.size()) {
    reader.Refuse("kind", absl::StrCat(kind, ": want 1..", kKindNames.size() - 1, ", ending"));
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
                         std::span<const std::byte> bulk, std::size_t bulk_offset)
    : kind_(kind),
      what_(std::move(what)),
      fields_(what_, fields),
      bulk_(bulk),
      bulk_offset_(bulk_offset) {
  fields_.Bytes("header", kFrameHeaderBytes);  // Checked already; so that offsets are the frame's.
}

absl::StatusOr<FrameReader> FrameReader::Open(std::span<const std::byte> frame) {
  return Open(std::span<const std::span<const std::byte>>(&frame, 1));
}

absl::StatusOr<FrameReader> FrameReader::Open(std::span<const std::span<const std::byte>> parts) {
  if (parts.empty()) return absl::InvalidArgumentError("message: without any bytes");
  const std::span<const std::byte> head = parts[0];
  std::uint64_t frame_size = 0;
  for (const auto& part : parts) frame_size += part.size();
  LONGTAIL_ASSIGN_OR_RETURN(const Header header, ReadHeader(head, frame_size));
  const std::string what =
      absl::StrCat("message ", kKindNames[static_cast<std::size_t>(header.kind)]);
  const std::size_t fields_end = kFrameHeaderBytes + header.field_bytes;
  const std::size_t bulk_begin =
      (fields_end + kFrameAlignment - 1) / kFrameAlignment * kFrameAlignment;
  if (bulk_begin > head.size() || !AllZero(head.subspan(fields_end, bulk_begin - fields_end))) {
    return absl::InvalidArgumentError(
        absl::StrCat(what, ": the fields, which end at byte ", fields_end, " of ", head.size(),
                     ", are not followed by zeros up to a multiple of ", kFrameAlignment));
  }
  std::span<const std::byte> bulk = head.subspan(bulk_begin);
  std::shared_ptr<std::byte[]> copy;
  if (parts.size() > 1) {
    const std::size_t size = static_cast<std::size_t>(frame_size) - bulk_begin;
    copy = std::shared_ptr<std::byte[]>(new std::byte[size]);
    std::byte* to = std::copy(bulk.begin(), bulk.end(), copy.get());
    for (const auto& part : parts.subspan(1)) to = std::copy(part.begin(), part.end(), to);
    bulk = {copy.get(), size};
  }
  FrameReader reader(header.kind, what, head.first(fields_end), bulk, bulk_begin);
  reader.copy_ = std::move(copy);
  return reader;
}

std::size_t FrameReader::TakeBulk(std::string_view name, std::uint64_t size,
                                  std::size_t element_bytes) {
  if (!ok()) return 0;
  const std::size_t remaining = bulk_.size() - taken_;
  if (size > remaining / element_bytes) {
    RefuseBulk(name, absl::StrCat("of ", size, " elements of ", element_bytes, " bytes, but ",
                                  remaining, " bytes remain,"));
    return 0;
  }
  const std::size_t at = taken_;
  const std::size_t end = at + static_cast<std::size_t>(size) * element_bytes;
  const std::size_t aligned = (end + kFrameAlignment - 1) / kFrameAlignment * kFrameAlignment;
  if (aligned > bulk_.size() || !AllZero(bulk_.subspan(end, aligned - end))) {
    RefuseBulk(name,
               absl::StrCat("is not followed by zeros up to a multiple of ", kFrameAlignment));
    return 0;
  }
  taken_ = aligned;
  return at;
}

void FrameReader::CopyBulk() {
  if (copy_ != nullptr) return;
  // new aligns for every number type, and as much is allocated as lies in the frame already.
  copy_ = std::shared_ptr<std::byte[]>(new std::byte[bulk_.size()]);
  if (!bulk_.empty()) std::memcpy(copy_.get(), bulk_.data(), bulk_.size());
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
  if (taken_ < bulk_.size()) RefuseBulk("end", "is followed by bytes that no field names");
  return status_;
}

}  // namespace longtail
