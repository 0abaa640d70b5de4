// What an object in a RADOS pool says of itself, in its attribute "longtail".
//
// A blob is one object of its name, the head, and for a blob of several parts one object for each
// further part. An object's data are the blob's own bytes and nothing else (docs/FORMATS.md). A
// blob that grows has as many parts as are there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace longtail {

inline constexpr std::string_view kObjectMagic = "LTOBJECT";
inline constexpr std::uint32_t kObjectVersion = 2;
inline constexpr std::size_t kObjectHeaderBytes = 64;

/// Bytes of one object's data.
inline constexpr std::uint32_t kObjectBytesMax = std::uint32_t{32} << 20;

struct ObjectHeader {
  std::uint32_t part = 0;        ///< 0: the head.
  std::uint32_t part_count = 1;  ///< Of the blob; an empty blob has one. 0: the blob grows.
  std::uint32_t part_bytes = 1;  ///< Of each part but the last, which has the rest.
  std::uint64_t blob_bytes = 0;  ///< 0 if it grows.
  std::uint64_t write_id = 0;    ///< Equal in all objects of one write, and in no other's.
  std::uint64_t checksum = 0;    ///< XXH3-64 of this object's data; 0 if the blob grows.

  bool operator==(const ObjectHeader&) const = default;

  /// Its size is what is there: parts one after the other up to the first that is not full.
  bool grows() const { return part_count == 0; }

  /// Where this object's data begin in the blob, and how many they are; of a blob that grows, how
  /// many at most.
  std::uint64_t offset() const { return std::uint64_t{part} * part_bytes; }
  std::size_t size() const;
};

/// The number of parts of a blob; at least 1.
std::uint32_t ObjectPartCount(std::uint64_t blob_bytes, std::uint32_t part_bytes);

/// The name of a blob's object: the blob's own for part 0, else "NAME~WRITE-ID.PART". '~' is in no
/// blob's name.
std::string ObjectName(std::string_view blob, std::uint64_t write_id, std::uint32_t part);

/// What ObjectName made of a part that is no head.
struct ObjectPart {
  std::string blob;
  std::uint64_t write_id = 0;
};

/// Errors: InvalidArgument (it is no name of a part).
absl::StatusOr<ObjectPart> ParseObjectPart(std::string_view object);

std::string EncodeObjectHeader(const ObjectHeader& header);

/// Errors: InvalidArgument (foreign or newer, or numbers that cannot be), DataLoss (damaged),
/// naming
///         `what`.
absl::StatusOr<ObjectHeader> DecodeObjectHeader(const std::string& what,
                                                std::span<const std::byte> bytes);

}  // namespace longtail
