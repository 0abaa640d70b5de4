// Every limit that sizes a buffer or refuses a request, by name.
#pragma once

#include <cstddef>
#include <cstdint>

namespace longtail {

/// The widest row, in floats of weights.
inline constexpr std::uint32_t kRowDimMax = 4096;

/// The most columns of a count table's row.
inline constexpr std::uint32_t kCountColumnsMax = std::uint32_t{1} << 20;

/// The longest name of a table, in characters.
inline constexpr std::size_t kNameSizeMax = 64;

/// Tables in one cluster.
inline constexpr std::uint32_t kTableCountMax = 1024;

/// Partitions of one cluster.
inline constexpr std::uint32_t kPartitionCountMax = 65536;

/// Lanes of one server.
inline constexpr std::uint32_t kLaneCountMax = 256;

/// Replicas of one lane.
inline constexpr std::uint32_t kReplicaCountMax = 8;

/// Servers of one cluster.
inline constexpr std::uint32_t kServerCountMax = 4096;

/// Workers of one cluster.
inline constexpr std::uint32_t kWorkerCountMax = 4096;

/// Keys in one pull or push.
inline constexpr std::size_t kKeysPerRequestMax = std::size_t{16} << 20;

/// Bytes of lists of keys that a lane keeps, and that a worker believes each lane to keep.
inline constexpr std::size_t kKeyListBytesMax = std::size_t{64} << 20;

/// Memory of a worker's row cache, if it has one.
inline constexpr std::size_t kRowCacheBytesMin = std::size_t{64} << 10;
inline constexpr std::size_t kRowCacheBytesMax = std::size_t{16} << 30;

/// Bytes of one chunk of a snapshot.
inline constexpr std::size_t kSnapshotChunkBytesMax = std::size_t{32} << 20;

}  // namespace longtail
