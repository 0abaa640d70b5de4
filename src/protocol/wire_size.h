// What a message of the data path takes on the wire, without making its bytes.
#pragma once

#include <cstdint>

#include "protocol/messages.h"

namespace longtail {

struct WireSize {
  std::uint64_t bytes = 0;   ///< Of the frame.
  std::uint64_t keys = 0;    ///< Of them, those of keys, their deltas and digests,
  std::uint64_t values = 0;  ///< and of gradients or rows. The rest: header, fields, counts, zeros.
};

/// Of what workers and lanes say to one another while they train; zeros for other messages.
///
/// Cost: a look at each section.
WireSize SizeOnWire(const Message& message);

}  // namespace longtail
