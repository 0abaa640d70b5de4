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

void AddBackoff(const Batch& batch, std::uint32_t below, Sighting sighting,
                std::span<const std::uint32_t> inverse, std::span<const std::uint32_t> counts,
                std::span<float> rows, std::size_t dim, AddedRows& added) {
  added.rows.clear();
  added.is_met.assign(rows.size() / dim, 0);
  const std::span<const std::uint32_t> field_rows = inverse.subspan(batch.keys.size());
  for (std::size_t place = 0; place < batch.size * batch.field_count; ++place) {
    const std::uint32_t field_row = field_rows[place % batch.field_count];
    for (std::uint32_t i = batch.offsets[place]; i < batch.offsets[place + 1]; ++i) {
      const std::uint32_t row = inverse[i];
      std::uint32_t count = counts[row];
      if (sighting == Sighting::kAgain && count > 0) --count;
      if (count >= below || added.is_met[row] != 0) continue;
      added.is_met[row] = 1;
      added.rows.push_back({.row = row, .field_row = field_row});
      for (std::size_t d = 0; d < dim; ++d) {
        const float own = count == 0 ? 0.0F : rows[row * dim + d];
        rows[row * dim + d] = rows[field_row * dim + d] + own;
      }
    }
  }
}

void ShareGradients(const AddedRows& added, std::span<float> gradients, std::size_t dim) {
  for (const AddedRow& a : added.rows) {
    for (std::size_t d = 0; d < dim; ++d) {
      gradients[a.field_row * dim + d] += gradients[a.row * dim + d];
    }
  }
}

}  // namespace longtail::examples
