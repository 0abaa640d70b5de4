// Counts the program's allocations, so that a test can show that a warm path makes none.
//
// Linking longtail_test_support and calling AllocationCount replaces operator new and delete in the
// whole program.
#pragma once

#include <cstdint>

namespace longtail::test {

/// False in a build with the thread sanitizer, whose runtime keeps operator new for itself. A test
/// that counts then says "[skip]".
bool CountsAllocations();

/// Calls of operator new so far, of every kind, in all threads.
std::uint64_t AllocationCount();

/// Calls of operator delete with something to delete so far, of every kind, in all threads.
std::uint64_t ReleaseCount();

}  // namespace longtail::test
