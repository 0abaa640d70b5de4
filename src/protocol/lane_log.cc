#include "protocol/lane_log.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/check.h"
#include "protocol/checksum.h"
#include "protocol/wire.h"

namespace longtail {
namespace {

// Of headers: what is before their checksum.
constexpr std::size_t kSealedBytes = 32;
constexpr std::size_t kRecordSealedBytes = 40;
constexpr std::size_t kAlignment = 8;

}  // namespace

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

void AppendLogRecord(const Message& message, const LogRecordHeader& header, std::string& scratch,
                     std::string& out) {
  Encode(message, scratch);
  AppendLogRecord(AsBytes(scratch), header, out);
}

void AppendLogRecord(std::span<const std::byte> frame, const LogRecordHeader& header,
                     std::string& out) {
  LONGTAIL_CHECK(frame.size() % kAlignment == 0);
  const std::size_t begin = out.size();
  ByteWriter writer(out);
  writer.U32(kLogRecordMagic);
  writer.U32(0);
  writer.U64(header.number);
  writer.U64(header.durable_end);
  writer.U64(header.time_us);
  writer.U64(frame.size());
  writer.U64(Checksum(AsBytes(out).subspan(begin, kRecordSealedBytes), frame));
  writer.Bytes(frame);
}

absl::StatusOr<LaneLogReader> LaneLogReader::Open(std::string what,
                                                  std::span<const std::byte> segment,
                                                  std::uint64_t first) {
  const auto never_finished = [&] {
    return absl::NotFoundError(
        absl::StrCat(what, ": ", segment.size(), " bytes and no header: it was never finished"));
  };
  if (segment.size() < kLaneLogHeaderBytes) return never_finished();
  ByteReader reader(segment);
  const std::string_view magic = AsText(reader.Bytes(kLaneLogMagic.size()));
  for (std::size_t i = 0; i < magic.size(); ++i) {
    // What did not arrive may be zeros.
    if (magic[i] == kLaneLogMagic[i] || magic[i] == '\0') continue;
    return absl::InvalidArgumentError(absl::StrCat(what, ": is no segment of a lane's log"));
  }
  const std::uint32_t version = reader.U32();
  LaneLogHeader header;
  header.lane = reader.U32();
  header.cluster = reader.U64();
  header.first = reader.U64();
  if (magic != kLaneLogMagic || reader.U64() != Checksum(segment.first(kSealedBytes))) {
    if (!FindWitness(segment, 0, first)) return never_finished();
    return absl::DataLossError(absl::StrCat(what, ": its header is damaged (checksum)"));
  }
  if (version != kLaneLogVersion) {
    return absl::InvalidArgumentError(
        absl::StrCat(what, ": version ", version, ": want ", kLaneLogVersion));
  }
  if (header.first != first) {
    return absl::DataLossError(
        absl::StrCat(what, ": begins with record ", header.first, ": want ", first));
  }
  return LaneLogReader(std::move(what), segment, header);
}

std::optional<LaneLogReader::Record> LaneLogReader::RecordAt(std::span<const std::byte> segment,
                                                             std::size_t offset) {
  const std::span<const std::byte> rest = segment.subspan(offset);
  if (rest.size() < kLogRecordHeaderBytes) return std::nullopt;
  ByteReader reader(rest);
  if (reader.U32() != kLogRecordMagic || reader.U32() != 0) return std::nullopt;
  Record record;
  record.header.number = reader.U64();
  record.header.durable_end = reader.U64();
  record.header.time_us = reader.U64();
  const std::uint64_t bytes = reader.U64();
  const std::uint64_t checksum = reader.U64();
  if (bytes > rest.size() - kLogRecordHeaderBytes || bytes % kAlignment != 0) return std::nullopt;
  record.frame = rest.subspan(kLogRecordHeaderBytes, static_cast<std::size_t>(bytes));
  if (checksum != Checksum(rest.first(kRecordSealedBytes), record.frame)) return std::nullopt;
  return record;
}

std::optional<LaneLogReader::Record> LaneLogReader::FindWitness(std::span<const std::byte> segment,
                                                                std::size_t from,
                                                                std::uint64_t number) {
  for (std::size_t at = from; at < segment.size(); at += kAlignment) {
    const std::optional<Record> record = RecordAt(segment, at);
    if (record && record->header.durable_end > number) return record;
  }
  return std::nullopt;
}

absl::StatusOr<std::optional<Message>> LaneLogReader::Next() {
  const auto damage = [&](std::string_view why) {
    return absl::DataLossError(
        absl::StrCat(what_, ": record ", number_, " at offset ", offset_, ": ", std::string(why)));
  };
  const std::optional<Record> record = RecordAt(segment_, offset_);
  if (!record) {
    const std::optional<Record> witness = FindWitness(segment_, offset_ + kAlignment, number_);
    if (!witness) return std::optional<Message>();
    return damage(absl::StrCat("damaged, though it was durable when record ",
                               witness->header.number, " was written"));
  }
  if (record->header.number != number_) {
    return damage(absl::StrCat("is that of number ", record->header.number));
  }
  if (record->header.time_us < time_us_) {
    return damage(absl::StrCat("its time is ", record->header.time_us, ": want at least ", time_us_,
                               ", that of the record before it"));
  }
  absl::StatusOr<Message> message = Decode(record->frame);
  if (!message.ok()) return damage(std::string(message.status().message()));
  ++number_;
  time_us_ = record->header.time_us;
  frame_ = record->frame;
  offset_ += kLogRecordHeaderBytes + record->frame.size();
  return std::optional<Message>(*std::move(message));
}

}  // namespace longtail
