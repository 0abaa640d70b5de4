#include "sparse/count_store.h"

#include "base/check.h"

namespace longtail::sparse {

using count_store::ClassBytes;
using count_store::ClassOf;

static_assert(kCountRowBytesMax < std::size_t{1} << 24, "a record has 24 bits for a row's size");

std::uint32_t CountStore::Create(Key key) {
  const std::uint32_t row = records_.Take(false);
  std::byte* const record = records_.Header(row);
  SetKey(record, key);
  SetSize(record, 0);
  return row;
}

void CountStore::Replace(std::uint32_t row, std::span<const std::byte> bytes) {
  LONGTAIL_CHECK(bytes.size() <= kCountRowBytesMax);
  std::byte* const record = records_.Header(row);
  const std::size_t before = SizeAt(record);
  const bool had_place = before > kInlineBytes;
  const bool has_place = bytes.size() > kInlineBytes;
  const bool moves = had_place && (!has_place || ClassOf(before) != ClassOf(bytes.size()));
  if (moves) places_[ClassOf(before)]->Free(PlaceAt(record));
  row_bytes_ += bytes.size() - before;
  SetSize(record, bytes.size());
  if (!has_place) {
    if (!bytes.empty()) std::memcpy(record + kHeadBytes, bytes.data(), bytes.size());
    return;
  }
  std::unique_ptr<Slabs>& places = places_[ClassOf(bytes.size())];
  if (!had_place || moves) {
    if (places == nullptr) {
      places = std::make_unique<Slabs>(ClassBytes(ClassOf(bytes.size())) - kRowHeaderBytes);
    }
    const std::uint32_t place = places->Take();
    std::memcpy(record + kHeadBytes, &place, sizeof(place));
  }
  std::memcpy(places->Header(PlaceAt(record)), bytes.data(), bytes.size());
}

std::uint64_t CountStore::bytes() const {
  std::uint64_t bytes = records_.bytes();
  for (const std::unique_ptr<Slabs>& places : places_) {
    if (places != nullptr) bytes += places->bytes();
  }
  return bytes;
}

}  // namespace longtail::sparse
