#include "examples/common/data/example_store.h"

#include <algorithm>
#include <cstring>
#include <span>

namespace longtail::examples {
namespace {

constexpr std::size_t kUnusedMin = std::size_t{1} << 20;  // Less than this is not worth a move.

template <typename T>
void Put(std::vector<char>& bytes, std::span<const T> values) {
  const std::size_t at = bytes.size();
  bytes.resize(at + values.size_bytes());
  if (!values.empty()) std::memcpy(bytes.data() + at, values.data(), values.size_bytes());
}

template <typename T>
T Get(const char*& at) {
  T value;
  std::memcpy(&value, at, sizeof(T));
  at += sizeof(T);
  return value;
}

void PutVarint(std::vector<char>& bytes, std::uint32_t value) {
  for (; value >= 0x80; value >>= 7) bytes.push_back(static_cast<char>(value | 0x80));
  bytes.push_back(static_cast<char>(value));
}

std::uint32_t GetVarint(const char*& at) {
  std::uint32_t value = 0;
  for (unsigned shift = 0;; shift += 7) {
    const auto byte = static_cast<unsigned char>(*at++);
    value |= static_cast<std::uint32_t>(byte & 0x7F) << shift;
    if (byte < 0x80) return value;
  }
}

}  // namespace

void ExampleStore::Pack(const Batch& batch, std::size_t i) {
  packed_.clear();
  Put(packed_, std::span(&batch.labels[i], 1));
  if (layout_.has_groups) Put(packed_, std::span(&batch.groups[i], 1));
  Put(packed_, std::span(batch.numeric).subspan(i * batch.numeric_count, batch.numeric_count));
  packed_.push_back(batch.values.empty() ? 0 : 1);
  const std::uint32_t* const offsets = batch.offsets.data() + i * batch.field_count;
  for (std::uint32_t f = 0; f < batch.field_count; ++f) {
    PutVarint(packed_, offsets[f + 1] - offsets[f]);
  }
  const std::size_t first = offsets[0];
  const std::size_t count = offsets[batch.field_count] - first;
  Put(packed_, std::span(batch.keys).subspan(first, count));
  if (!batch.values.empty()) Put(packed_, std::span(batch.values).subspan(first, count));
}

// Copies packed_ to where `slot` is, or to the end.
void ExampleStore::Place(Slot& slot) {
  if (packed_.size() > slot.capacity) {
    unused_ += slot.capacity;
    slot.begin = bytes_.size();
    slot.capacity = static_cast<std::uint32_t>(packed_.size());
    bytes_.resize(bytes_.size() + packed_.size());
  }
  std::ranges::copy(packed_, bytes_.begin() + static_cast<std::ptrdiff_t>(slot.begin));
  if (unused_ > kUnusedMin && unused_ > bytes_.size() / 2) Compact();
}

void ExampleStore::Add(const Batch& batch, std::size_t i) {
  Pack(batch, i);
  Place(slots_.emplace_back());
}

void ExampleStore::Replace(std::size_t slot, const Batch& batch, std::size_t i) {
  Pack(batch, i);
  Place(slots_[slot]);
}

void ExampleStore::Remove(std::size_t slot) {
  unused_ += slots_[slot].capacity;
  slots_[slot] = slots_.back();
  slots_.pop_back();
}

void ExampleStore::Compact() {
  std::vector<char> kept;
  kept.reserve(bytes_.size() - unused_);
  for (Slot& slot : slots_) {
    const std::uint64_t begin = kept.size();
    Put(kept, std::span<const char>(bytes_).subspan(slot.begin, slot.capacity));
    slot.begin = begin;
  }
  bytes_ = std::move(kept);
  unused_ = 0;
}

void ExampleStore::Write(std::size_t slot, BatchWriter& writer) const {
  const char* at = bytes_.data() + slots_[slot].begin;
  const auto label = Get<float>(at);
  const std::uint64_t group = layout_.has_groups ? Get<std::uint64_t>(at) : 0;
  for (std::uint32_t i = 0; i < layout_.numeric_count(); ++i) writer.AddNumeric(Get<float>(at));
  const bool has_values = *at++ != 0;
  const char* const counts = at;
  std::size_t key_count = 0;
  for (std::uint32_t f = 0; f < layout_.field_count(); ++f) key_count += GetVarint(at);
  const char* values = at + key_count * sizeof(Key);
  const char* count_at = counts;
  for (std::uint32_t f = 0; f < layout_.field_count(); ++f) {
    for (std::uint32_t n = GetVarint(count_at); n > 0; --n) {
      const Key key = Get<Key>(at);
      writer.AddKey(key, has_values ? Get<float>(values) : 1.0F);
    }
    writer.EndField();
  }
  if (layout_.has_groups) {
    writer.EndExample(label, group);
  } else {
    writer.EndExample(label);
  }
}

}  // namespace longtail::examples
