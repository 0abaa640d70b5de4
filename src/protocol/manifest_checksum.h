// What the writer and the reader of manifests share: the checksum over the document itself.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include <nlohmann/json.hpp>

namespace longtail {

inline constexpr std::string_view kManifestChecksumField = "manifest_checksum";

/// XXH3-64 over the document without that field, written without spaces and with sorted names.
std::uint64_t ManifestChecksum(nlohmann::json document);

}  // namespace longtail
