// Memory that is touched before it is needed.
//
// The system gives memory as it is touched, a huge page at a time, and clears it then: a tenth of a
// millisecond where the machine has it, several where its host has to give it first. Who fills a
// large array says what comes next, and a thread of the process touches that meanwhile.
//
// Thread: any.
#pragma once

#include <cstddef>

namespace longtail {

/// Asks for the whole pages of `size` bytes at `memory` to be touched soon.
/// Their content stays as it is. A hint: it may be forgotten, and where the system cannot do it
/// nothing happens.
///
/// Cost: a lock; no wait for the memory.
void TouchSoon(void* memory, std::size_t size);

/// Takes back what was asked for within `size` bytes at `memory`, and waits out what is under way
/// there. Needed before the memory is given back.
void ForgetTouches(const void* memory, std::size_t size);

}  // namespace longtail
