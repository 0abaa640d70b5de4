#include "examples/ctr/saved_rows.h"

#include <cstdint>
#include <cstring>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"

namespace longtail::examples {
namespace {

constexpr std::size_t kHeaderBytes = 2 * sizeof(std::uint64_t);

std::uint64_t ReadU64(std::string_view bytes, std::size_t at) {
  std::uint64_t value = 0;
  std::memcpy(&value, bytes.data() + at, sizeof(value));
  return value;
}

}  // namespace

std::string EncodeRows(std::span<const Key> keys, std::span<const float> rows,
                       std::span<const std::uint32_t> counts, std::size_t dim) {
  const std::uint64_t header[] = {keys.size(), dim};
  std::string bytes(reinterpret_cast<const char*>(header), sizeof(header));
  bytes.append(reinterpret_cast<const char*>(keys.data()), keys.size() * sizeof(Key));
  bytes.append(reinterpret_cast<const char*>(rows.data()), keys.size() * dim * sizeof(float));
  if (!counts.empty()) {
    bytes.append(reinterpret_cast<const char*>(counts.data()), keys.size() * sizeof(std::uint32_t));
  }
  return bytes;
}

absl::Status DecodeRows(std::string_view bytes, std::span<const Key> keys, std::size_t dim,
                        std::span<float> rows, std::span<std::uint32_t> counts) {
  const std::size_t row_bytes = dim * sizeof(float);
  const std::size_t first_row = kHeaderBytes + keys.size() * sizeof(Key);
  const std::size_t first_count = first_row + keys.size() * row_bytes;
  const std::size_t want = first_count + (counts.empty() ? 0 : keys.size() * sizeof(std::uint32_t));
  if (bytes.size() != want || ReadU64(bytes, 0) != keys.size() ||
      ReadU64(bytes, sizeof(std::uint64_t)) != dim) {
    return absl::DataLossError(absl::StrCat("saved rows: ", bytes.size(), " bytes: want ", want,
                                            " for ", keys.size(), " keys of dim ", dim,
                                            "; is it the same data?"));
  }
  absl::flat_hash_map<Key, std::size_t> places;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    places[ReadU64(bytes, kHeaderBytes + i * sizeof(Key))] = i;
  }
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const auto place = places.find(keys[i]);
    if (place == places.end()) {
      return absl::DataLossError(
          absl::StrCat("saved rows: none of key ", keys[i], "; is it the same data?"));
    }
    std::memcpy(rows.data() + i * dim, bytes.data() + first_row + place->second * row_bytes,
                row_bytes);
    if (!counts.empty()) {
      std::memcpy(&counts[i], bytes.data() + first_count + place->second * sizeof(std::uint32_t),
                  sizeof(std::uint32_t));
    }
  }
  return absl::OkStatus();
}

}  // namespace longtail::examples
