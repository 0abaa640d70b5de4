// A buffer that is to be filled whole, again and again.
#pragma once

#include <cstddef>

namespace longtail {

/// Makes the buffer, a string or a vector, of so many elements, of which those that were there are
/// anything: what they were, or zeros. So nothing is filled or moved but what is new, and in memory
/// of its own size nothing at all.
template <typename Buffer>
void ResizeAnew(Buffer& buffer, std::size_t size) {
  if (buffer.capacity() < size) buffer.clear();  // Else they would be copied.
  buffer.resize(size);
}

}  // namespace longtail
