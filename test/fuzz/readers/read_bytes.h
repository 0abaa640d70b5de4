// Reads bytes as each kind of file the readers know: what the fuzzer and the replay share.
#pragma once

#include <cstddef>
#include <cstdint>

namespace longtail::examples::fuzz {

/// The first byte chooses the schema (or that the rest is one), the second how many examples a
/// batch has and what a bad line does; the rest is the file. Files that are joined are cut from its
/// end. Any bytes are fine; the promises of a batch's shape are checked and abort if broken.
void ReadBytes(const std::uint8_t* bytes, std::size_t size);

}  // namespace longtail::examples::fuzz
