// Limits of what readers of messages and stored blobs accept, beside those of base/limits.h.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/limits.h"

namespace longtail {

/// Bytes of one message.
inline constexpr std::uint64_t kMessageBytesMax = std::uint64_t{4} << 30;

/// Sections of one pull, push or barrier.
inline constexpr std::uint64_t kSectionCountMax = std::uint64_t{1} << 20;

/// Characters of a status that travels; a longer one is cut.
inline constexpr std::size_t kStatusMessageSizeMax = 4096;

/// Characters of a host's name or of an address, and addresses of one lane.
inline constexpr std::size_t kAddressSizeMax = 256;
inline constexpr std::size_t kAddressCountMax = 4;

/// Characters of a blob's name, and of a prefix of one.
inline constexpr std::size_t kBlobNameSizeMax = 1024;

/// Blobs of one snapshot or manifest.
inline constexpr std::uint64_t kBlobCountMax = std::uint64_t{1} << 20;

/// Checkpoints whose objects one manifest names.
inline constexpr std::size_t kLayerCountMax = 1024;

/// Log entries in one answer to a follower.
inline constexpr std::uint64_t kEntriesPerMessageMax = 4096;

/// Steps that a cluster can take; leaves room to count past it without overflow.
inline constexpr std::uint64_t kStepMax = std::uint64_t{1} << 62;

/// Floats of one row with its optimizer state.
inline constexpr std::uint32_t kValueCountMax = 4 * kRowDimMax;

/// Bytes of one encoded TableSpec.
inline constexpr std::size_t kSpecBytesMax = 4096;

/// Sessions of one chunk of a snapshot.
inline constexpr std::uint64_t kSessionCountMax = std::uint64_t{1} << 20;

/// Bytes of one trainer-state blob before compression.
inline constexpr std::uint64_t kTrainerBlobBytesMax = std::uint64_t{1} << 30;

/// Bytes of a manifest, and how deep its JSON may nest.
inline constexpr std::size_t kManifestBytesMax = std::size_t{256} << 20;
inline constexpr int kManifestDepthMax = 16;

/// Bytes of a statistics file, how deep its JSON may nest, and different counts of its tables.
inline constexpr std::size_t kStatisticsBytesMax = std::size_t{256} << 20;
inline constexpr int kStatisticsDepthMax = 8;
inline constexpr std::size_t kStatisticsCountsMax = std::size_t{1} << 24;

}  // namespace longtail
