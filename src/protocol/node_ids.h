// Numbers of what messages name: nodes, partitions, sessions. Strong types, for they travel side by
// side and must not be mistaken for one another.
#pragma once

#include <cstdint>

namespace longtail {

/// An endpoint of a transport: a lane, a worker, a controller.
enum class NodeId : std::uint32_t {};

/// A partition's number, 0 … P-1: the top log2(P) bits of a key's hash.
enum class PartitionId : std::uint32_t {};

/// A worker's registration. Sequence numbers count within one session and one partition.
enum class SessionId : std::uint64_t {};

}  // namespace longtail
