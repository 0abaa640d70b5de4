// The names of things that travel together: keys and tables.
#pragma once

#include <cstdint>

namespace longtail {

/// A feature's id. Every value is legal; none is reserved.
using Key = std::uint64_t;

/// A table's number in its cluster, counted from 0 in the order of creation.
enum class TableId : std::uint32_t {};

}  // namespace longtail
