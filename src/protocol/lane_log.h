// A lane's log as bytes: the messages that changed its partitions, in the order it took them.
//
// The log is cut into segments, blobs of a header and records. A record names the first of those
// that were written together with it: all before that one were durable by then. So what a write
// left that never ended can be told from damage (docs/FORMATS.md, "Lane log"). It also has the time
// at which the lane's leader took the message, which never goes back: the same in each replica's
// log, so that a moment is one place in all of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "protocol/messages.h"

namespace longtail {

inline constexpr std::string_view kLaneLogMagic = "LTLANLG1";
inline constexpr std::uint32_t kLaneLogVersion = 3;
inline constexpr std::size_t kLaneLogHeaderBytes = 40;
inline constexpr std::uint32_t kLogRecordMagic = 0x4345524C;  // "LREC".
inline constexpr std::size_t kLogRecordHeaderBytes = 48;

/// What a segment says of itself.
struct LaneLogHeader {
  std::uint32_t lane = 0;     ///< The lane's node number.
  std::uint64_t cluster = 0;  ///< See ClusterMap.
  std::uint64_t first = 0;    ///< Number of its first record.

  bool operator==(const LaneLogHeader&) const = default;
};

/// Appends a segment's header.
void AppendLaneLogHeader(const LaneLogHeader& header, std::string& out);

/// What a record says beside its message.
struct LogRecordHeader {
  std::uint64_t number = 0;
  std::uint64_t durable_end = 0;  ///< Those from here on are written together.
  std::uint64_t time_us = 0;      ///< Microseconds since 1970, UTC.
};

/// Appends a record of `message`.
///
/// Cost: two copies of the message's arrays; `scratch` and `out` keep their memory for the next.
void AppendLogRecord(const Message& message, const LogRecordHeader& header, std::string& scratch,
                     std::string& out);

/// The same of a message that is a frame already.
void AppendLogRecord(std::span<const std::byte> frame, const LogRecordHeader& header,
                     std::string& out);

/// Reads one segment. `segment` must outlive it.
///
/// Thread: any, one at a time.
class LaneLogReader {
 public:
  /// `what` names the segment in messages, `first` is the number that its name has.
  ///
  /// Errors: InvalidArgument (foreign or newer); DataLoss (a header that is damaged, or another
  /// than
  ///         the name says); NotFound if the write that began it never ended: none of its records
  ///         were durable.
  static absl::StatusOr<LaneLogReader> Open(std::string what, std::span<const std::byte> segment,
                                            std::uint64_t first);

  const LaneLogHeader& header() const { return header_; }

  /// The next record's message; none at the end of what was written whole.
  ///
  /// Errors: DataLoss naming the segment, the offset and the record, if what was durable is
  ///         damaged; or if a record is whole but no message.
  absl::StatusOr<std::optional<Message>> Next();

  /// The frame of the message that Next read last, within the segment.
  std::span<const std::byte> frame() const { return frame_; }

  /// The time of the record that Next read last; 0: none yet.
  std::uint64_t time_us() const { return time_us_; }

  /// Number of the record that Next reads next.
  std::uint64_t number() const { return number_; }

  /// Bytes read so far; after the end, those that hold whole records.
  std::size_t offset() const { return offset_; }

 private:
  struct Record {
    LogRecordHeader header{};
    std::span<const std::byte> frame;
  };

  LaneLogReader(std::string what, std::span<const std::byte> segment, const LaneLogHeader& header)
      : what_(std::move(what)), segment_(segment), header_(header), number_(header.first) {}
  // The record that begins there, if one does that is whole.
  static std::optional<Record> RecordAt(std::span<const std::byte> segment, std::size_t offset);
  // A whole record from there on that knows records from `number` on to have been durable.
  static std::optional<Record> FindWitness(std::span<const std::byte> segment, std::size_t from,
                                           std::uint64_t number);

  std::string what_;
  std::span<const std::byte> segment_;
  LaneLogHeader header_;
  std::uint64_t number_;
  std::uint64_t time_us_ = 0;
  std::span<const std::byte> frame_;
  std::size_t offset_ = kLaneLogHeaderBytes;
};

}  // namespace longtail
