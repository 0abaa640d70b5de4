#include "protocol/lane_log.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/check.h"
#include "protocol/checksum.h"
#include "protocol/wire.h"

namespace longtail {
namespace {

constexpr std::size_t kSealedBytes = 32;  // Of both headers: what is before their checksum.
constexpr std::size_t kAlignment = 8;

}  // namespace

std::string LaneLogName(std::string_view prefix, std::uint64_t first) {
  return absl::StrFormat("%s/%020u.log", std::string(prefix), first);
}

void AppendLaneLogHeader(const LaneLogHeader& header, std::string& out) {
  const std::size_t begin = out.size();
  ByteWriter writer(out);
  writer.Bytes(AsBytes(kLaneLogMagic));
  writer.U32(kLaneLogVersion);
  writer.U32(header.lane);
  writer.U64(header.cluster);
  writer.U64(header.first);
  writer.U64(Checksum(AsBytes(out).subspan(begin, kSealedBytes)));
}

void AppendLogRecord(const Message& message, std::uint64_t number, std::uint64_t durable_end,
                     std::string& out) {
  std::string frame;
  Encode(message, frame);
  LONGTAIL_CHECK(frame.size() % kAlignment == 0);
  const std::size_t begin = out.size();
  ByteWriter writer(out);
  writer.U32(kLogRecordMagic);
  writer.U32(0);
  writer.U64(number);
  writer.U64(durable_end);
  writer.U64(frame.size());
  writer.U64(Checksum(AsBytes(out).subspan(begin, kSealedBytes), AsBytes(frame)));
  writer.Bytes(AsBytes(frame));
}

absl::StatusOr<LaneLogReader> LaneLogReader::Open(std::string what,
                                                  std::span<const std::byte> segment) {
  const bool is_blank = std::ranges::all_of(segment, [](std::byte b) { return b == std::byte{0}; });
  if (segment.size() < kLaneLogHeaderBytes || is_blank) {
    return absl::NotFoundError(
        absl::StrCat(what, ": ", segment.size(), " bytes and no header: it was never finished"));
  }
  ByteReader reader(segment);
  if (AsText(reader.Bytes(kLaneLogMagic.size())) != kLaneLogMagic) {
    return absl::InvalidArgumentError(absl::StrCat(what, ": is no segment of a lane's log"));
  }
  const std::uint32_t version = reader.U32();
  if (version != kLaneLogVersion) {
    return absl::InvalidArgumentError(
        absl::StrCat(what, ": version ", version, ": want ", kLaneLogVersion));
  }
  LaneLogHeader header;
  header.lane = reader.U32();
  header.cluster = reader.U64();
  header.first = reader.U64();
  if (reader.U64() != Checksum(segment.first(kSealedBytes))) {
    return absl::DataLossError(absl::StrCat(what, ": its header is damaged (checksum)"));
  }
  return LaneLogReader(std::move(what), segment, header);
}

std::optional<LaneLogReader::Record> LaneLogReader::RecordAt(std::size_t offset) const {
  const std::span<const std::byte> rest = segment_.subspan(offset);
  if (rest.size() < kLogRecordHeaderBytes) return std::nullopt;
  ByteReader reader(rest);
  if (reader.U32() != kLogRecordMagic || reader.U32() != 0) return std::nullopt;
  Record record;
  record.number = reader.U64();
  record.durable_end = reader.U64();
  const std::uint64_t bytes = reader.U64();
  const std::uint64_t checksum = reader.U64();
  if (bytes > rest.size() - kLogRecordHeaderBytes || bytes % kAlignment != 0) return std::nullopt;
  record.frame = rest.subspan(kLogRecordHeaderBytes, static_cast<std::size_t>(bytes));
  if (checksum != Checksum(rest.first(kSealedBytes), record.frame)) return std::nullopt;
  return record;
}

absl::StatusOr<std::optional<Message>> LaneLogReader::Next() {
  const auto damage = [&](std::string_view why) {
    return absl::DataLossError(
        absl::StrCat(what_, ": record ", number_, " at offset ", offset_, ": ", std::string(why)));
  };
  const std::optional<Record> record = RecordAt(offset_);
  if (!record) {
    // Nothing that is whole may follow what was durable before it.
    for (std::size_t at = offset_ + kAlignment; at < segment_.size(); at += kAlignment) {
      const std::optional<Record> later = RecordAt(at);
      if (later && later->durable_end > number_) {
        return damage(absl::StrCat("damaged, though it was durable when record ", later->number,
                                   " was written"));
      }
    }
    return std::optional<Message>();
  }
  if (record->number != number_) {
    return damage(absl::StrCat("is that of number ", record->number));
  }
  absl::StatusOr<Message> message = Decode(record->frame);
  if (!message.ok()) return damage(std::string(message.status().message()));
  ++number_;
  offset_ += kLogRecordHeaderBytes + record->frame.size();
  return std::optional<Message>(*std::move(message));
}

}  // namespace longtail
