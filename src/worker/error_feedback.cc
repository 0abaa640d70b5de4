#include "worker/error_feedback.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/check.h"
#include "protocol/value_codec.h"

namespace longtail {
namespace {

// What a key takes beside its row: itself, a byte, and an entry of a map that is half full.
constexpr std::size_t kKeyBytes = 48;

}  // namespace

void ErrorFeedback::Pack(WireValues format, TableId table, std::uint32_t dim,
                         std::span<const Key> keys, std::span<const float> gradients,
                         std::byte* packed) {
  if (format == WireValues::kFloat32) return PackRows(format, dim, gradients, packed);
  Rows& rows = tables_[table];
  if (rows.dim == 0) rows.dim = dim;
  LONGTAIL_CHECK(rows.dim == dim);
  wanted_.assign(gradients.begin(), gradients.end());
  sent_.resize(gradients.size());
  slots_.resize(keys.size());
  for (std::size_t i = 0; i < keys.size(); ++i) {
    slots_[i] = Find(rows, keys[i]);
    if (slots_[i] == kNone) continue;
    const float* const kept = rows.Row(slots_[i]);
    for (std::size_t c = 0; c < dim; ++c) wanted_[i * dim + c] += kept[c];
  }
  PackRows(format, dim, wanted_, packed);
  const std::span<const std::byte> all(packed, keys.size() * PackedRowBytes(format, dim));
  LONGTAIL_CHECK(UnpackRows(format, dim, all, sent_.data()));  // We packed them.
  for (std::size_t i = 0; i < keys.size(); ++i) {
    float* const wanted = wanted_.data() + i * dim;
    const float* const sent = sent_.data() + i * dim;
    bool is_finite = true;
    bool is_exact = true;
    for (std::size_t c = 0; c < dim; ++c) {
      wanted[c] -= sent[c];
      is_finite &= std::isfinite(wanted[c]);
      is_exact &= wanted[c] == 0;
    }
    if (!is_finite) continue;
    std::uint32_t slot = slots_[i];
    // Another key of this push may have taken its place.
    if (slot != kNone && rows.keys[slot] != keys[i]) slot = kNone;
    if (slot == kNone && is_exact) continue;
    if (slot == kNone) slot = MakeRoom(rows, keys[i]);
    if (slot != kNone) std::memcpy(rows.Row(slot), wanted, dim * sizeof(float));
  }
}

std::uint32_t ErrorFeedback::Find(Rows& rows, Key key) {
  const auto found = rows.slots.find(key);
  if (found == rows.slots.end()) return kNone;
  rows.is_used[found->second] = 1;
  return found->second;
}

std::uint32_t ErrorFeedback::MakeRoom(Rows& rows, Key key) {
  const std::size_t block_bytes = kRowsPerBlock * (rows.dim * sizeof(float) + kKeyBytes);
  std::size_t slot = rows.keys.size();
  if (slot == rows.blocks.size() * kRowsPerBlock && bytes_ + block_bytes <= bytes_max_) {
    rows.blocks.emplace_back(new float[kRowsPerBlock * rows.dim]);
    bytes_ += block_bytes;
  }
  if (slot < rows.blocks.size() * kRowsPerBlock) {
    rows.keys.push_back(key);
    rows.is_used.push_back(1);
  } else {
    ++dropped_;
    if (rows.keys.empty()) return kNone;  // Other tables have all of the room.
    while (rows.is_used[rows.hand] != 0) {
      rows.is_used[rows.hand] = 0;
      rows.hand = (rows.hand + 1) % rows.keys.size();
    }
    slot = rows.hand;
    rows.hand = (rows.hand + 1) % rows.keys.size();
    rows.slots.erase(rows.keys[slot]);
    rows.keys[slot] = key;
    rows.is_used[slot] = 1;
  }
  rows.slots.emplace(key, static_cast<std::uint32_t>(slot));
  return static_cast<std::uint32_t>(slot);
}

}  // namespace longtail
