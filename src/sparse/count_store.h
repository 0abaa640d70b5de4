// Memory of rows of any size: a row's number finds its key and its bytes.
//
// Each row has a record of 24 bytes, whose number never changes while the row is there:
//
//   0        8          11                     24
//   +--------+----------+----------------------+
//   | key    | size     | up to 13 bytes,      |   or, of more than 13 bytes,
//   |        | 24 bits  | the row itself       |   the number of its place (32 bits)
//   +--------+----------+----------------------+
//
// Longer rows lie in places of their size class: four classes from one power of two to the next, so
// a tenth of a place is empty on average. Records and places are sparse/slabs.h: what is freed is
// used again, the lowest first, and what runs empty goes back to the system. A row moves to another
// class as it grows or shrinks. Which place a row has shows nowhere outside.
//
// Thread: one owner.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>

#include "base/count_row.h"
#include "longtail/ids.h"
#include "sparse/row_store.h"
#include "sparse/slabs.h"

namespace longtail::sparse {
namespace count_store {

// Class c has places of ClassBytes(c), the first of 16 bytes.
inline constexpr std::size_t kClassesPerDoubling = 4;
inline constexpr std::size_t kClassBytesMin = 16;
constexpr std::size_t ClassBytes(std::size_t size_class) {
  const std::size_t power = kClassBytesMin << (size_class / kClassesPerDoubling);
  return power + power / kClassesPerDoubling * (size_class % kClassesPerDoubling);
}

// The least class whose places have so many bytes.
constexpr std::size_t ClassOf(std::size_t size) {
  if (size <= kClassBytesMin) return 0;
  const auto doublings = static_cast<std::size_t>(std::bit_width((size - 1) / kClassBytesMin)) - 1;
  const std::size_t power = kClassBytesMin << doublings;
  const std::size_t step = power / kClassesPerDoubling;
  return doublings * kClassesPerDoubling + (size - power + step - 1) / step;
}

inline constexpr std::size_t kClassCount = ClassOf(kCountRowBytesMax) + 1;

}  // namespace count_store

class CountStore {
 public:
  /// Bytes of a row that lie in its record.
  static constexpr std::size_t kInlineBytes = 13;
  /// Key and size of a row, in its record.
  static constexpr std::size_t kHeadBytes = sizeof(Key) + 3;

  explicit CountStore(std::uint32_t rows_max = Slabs::kRowsMax)
      : records_(kHeadBytes + kInlineBytes - kRowHeaderBytes, rows_max) {}

  /// The records, for an index.
  const RowStore& records() const { return records_; }

  bool IsFull() const { return records_.IsFull(false); }

  /// A new row of no bytes. Needs !IsFull().
  std::uint32_t Create(Key key);

  Key KeyOf(std::uint32_t row) const { return records_.KeyOf(row); }

  /// The bytes of a row, valid until it changes.
  std::span<const std::byte> BytesOf(std::uint32_t row) const {
    const std::byte* const record = records_.Header(row);
    const std::size_t size = SizeAt(record);
    if (size <= kInlineBytes) return {record + kHeadBytes, size};
    return {PlaceOf(record, size), size};
  }

  /// Puts other bytes, at most kCountRowBytesMax and not its own, into a row.
  void Replace(std::uint32_t row, std::span<const std::byte> bytes);

  /// Fetches what BytesOf reads of a row whose record is at hand.
  void PrefetchBytes(std::uint32_t row) const {
    const std::byte* const record = records_.Header(row);
    const std::size_t size = SizeAt(record);
    if (size > kInlineBytes) __builtin_prefetch(PlaceOf(record, size));
  }

  /// Bytes of all rows, and of the memory that they lie in.
  std::uint64_t row_bytes() const { return row_bytes_; }
  std::uint64_t bytes() const;

 private:
  static std::size_t SizeAt(const std::byte* record) {
    std::uint16_t low = 0;
    std::memcpy(&low, record + sizeof(Key), sizeof(low));
    return low | std::to_integer<std::size_t>(record[sizeof(Key) + 2]) << 16;
  }
  static void SetSize(std::byte* record, std::size_t size) {
    const auto low = static_cast<std::uint16_t>(size);
    std::memcpy(record + sizeof(Key), &low, sizeof(low));
    record[sizeof(Key) + 2] = static_cast<std::byte>(size >> 16);
  }
  static std::uint32_t PlaceAt(const std::byte* record) {
    std::uint32_t place = 0;
    std::memcpy(&place, record + kHeadBytes, sizeof(place));
    return place;
  }
  const std::byte* PlaceOf(const std::byte* record, std::size_t size) const {
    const Slabs& places = *places_[count_store::ClassOf(size)];
    return places.Header(PlaceAt(record));
  }

  RowStore records_;
  // Null: no row was ever of that class.
  std::array<std::unique_ptr<Slabs>, count_store::kClassCount> places_;
  std::uint64_t row_bytes_ = 0;
};

}  // namespace longtail::sparse
