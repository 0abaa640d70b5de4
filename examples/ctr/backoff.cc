#include "examples/ctr/backoff.h"

#include <cstddef>

#include "base/hash.h"

namespace longtail::examples {
namespace {

constexpr std::uint64_t kBackoffSalt = 0xB0FF'0000'5EED'0001;  // Any number: it sets them apart.

}  // namespace

Key BackoffKey(std::uint32_t field) {
  return Mix64(kBackoffSalt + field);
}

void KeysWithBackoff(const Batch& batch, std::vector<Key>& keys) {
  keys.assign(batch.keys.begin(), batch.keys.end());
  for (std::uint32_t f = 0; f < batch.field_count; ++f) keys.push_back(BackoffKey(f));
}

void UseBackoff(const Batch& batch, std::uint32_t below, std::span<const std::uint32_t> inverse,
                std::span<const std::uint32_t> counts, std::vector<std::uint32_t>& rows) {
  rows.resize(batch.keys.size());
  const std::span<const std::uint32_t> backoff = inverse.subspan(batch.keys.size());
  for (std::size_t e = 0; e < batch.size; ++e) {
    for (std::size_t f = 0; f < batch.field_count; ++f) {
      const std::size_t place = e * batch.field_count + f;
      for (std::uint32_t i = batch.offsets[place]; i < batch.offsets[place + 1]; ++i) {
        rows[i] = counts[inverse[i]] < below ? backoff[f] : inverse[i];
      }
    }
  }
}

}  // namespace longtail::examples
