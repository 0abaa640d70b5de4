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

std::string EncodeRows(std::span<const Key> keys, std::span<const float> rows, std::size_t dim) {
  const std::uint64_t header[] = {keys.size(), dim};
  std::string bytes(reinterpret_cast<const char*>(header), sizeof(header));
  bytes.append(reinterpret_cast<const char*>(keys.data()), keys.size() * sizeof(Key));
  bytes.append(reinterpret_cast<const char*>(rows.data()), keys.size() * dim * sizeof(float));
  return bytes;
}

absl::Status DecodeRows(std::string_view bytes, std::span<const Key> keys, std::size_t dim,
                        std::span<float> rows) {
  const std::size_t want = kHeaderBytes + keys.size() * (sizeof(Key) + dim * sizeof(float));
  if (bytes.size() != want || ReadU64(bytes, 0) != keys.size() ||
      ReadU64(bytes, sizeof(std::uint64_t)) != dim) {
    return absl::DataLossError(absl::StrCat("saved rows: ", bytes.size(), " bytes: want ", want,
                                            " for ", keys.size(), " keys of dim ", dim,
                                            "; is it the same data?"));
  }
  const std::size_t first_row = kHeaderBytes + keys.size() * sizeof(Key);
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
    std::memcpy(rows.data() + i * dim, bytes.data() + first_row + place->second * dim * sizeof(float),
                dim * sizeof(float));
  }
  return absl::OkStatus();
}

}  // namespace longtail::examples
