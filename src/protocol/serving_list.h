// Which files a serving place is to be read as: docs/FORMATS.md, "Serving list".
//
// It is replaced as a whole, after the files that it names are there, so a reader that takes it
// takes one version of all tables.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace longtail {

inline constexpr std::string_view kServingListMagic = "LTSERVLS";
inline constexpr std::uint32_t kServingListVersion = 1;
inline constexpr std::size_t kServingListHeaderBytes = 32;

/// The list's file in its place.
inline constexpr std::string_view kServingListName = "CURRENT";

/// A file of the place: its name there, and the checksum in its header (bytes 120..127), which
/// tells it from any other that had the name.
struct ServingFileName {
  std::string name{};  ///< Empty: there is none.
  std::uint64_t checksum = 0;

  bool operator==(const ServingFileName&) const = default;
};

struct ServingListTable {
  std::string table;
  ServingFileName rows{};
  ServingFileName changes{};  ///< Of the rows; may be none.

  bool operator==(const ServingListTable&) const = default;
};

struct ServingList {
  std::string checkpoint{};    ///< Its name.
  std::uint64_t identity = 0;  ///< CheckpointIdentity.
  std::string created_at{};    ///< Of the checkpoint: RFC 3339, UTC.
  std::uint64_t step = 0;
  std::string base{};  ///< The checkpoint of all rows; the same if there are no changes.
  std::uint64_t base_identity = 0;
  std::vector<ServingListTable> tables{};  ///< Ascending by name.

  bool operator==(const ServingList&) const = default;
};

std::string EncodeServingList(const ServingList& list);

/// `what` names it in messages. Names of files are such that they stay within their place.
///
/// Errors: InvalidArgument (foreign, newer, or what cannot be); DataLoss (truncated or damaged).
absl::StatusOr<ServingList> DecodeServingList(const std::string& what,
                                              std::span<const std::byte> bytes);

/// The checksum in a serving file's header; 0 if there are too few bytes for one.
std::uint64_t ServingHeaderChecksum(std::span<const std::byte> file);

}  // namespace longtail
