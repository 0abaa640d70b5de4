// Reads named fields from bytes that nobody vouches for.
//
// A ByteReader that also knows the name of each field, so that an error says which field of what is
// wrong, its value, what was wanted, and at which byte. After the first error every read gives
// zeros.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "base/bytes.h"

namespace longtail {

class FieldReader {
 public:
  /// `what` names the whole in errors. `bytes` must outlive the reader.
  FieldReader(std::string what, std::span<const std::byte> bytes)
      : what_(std::move(what)), size_(bytes.size()), reader_(bytes) {}

  std::uint8_t U8(std::string_view name);
  std::uint16_t U16(std::string_view name);
  std::uint32_t U32(std::string_view name);
  std::uint64_t U64(std::string_view name);
  float F32(std::string_view name);

  /// A byte that must be 0 or 1.
  bool Flag(std::string_view name);

  /// 32 bits whose value must be low … high.
  std::uint32_t Within(std::string_view name, std::uint32_t low, std::uint32_t high);

  /// A partition's number, a table's number, a row's width, a step: within their limits.
  std::uint32_t Partition();
  std::uint32_t Table();
  std::uint32_t Dim();
  std::uint64_t Step(std::string_view name);

  /// 32 bits that say how many things follow, each of at least `bytes_each` bytes; compared with
  /// `count_max` and with the bytes that remain, so that it is safe to allocate by.
  std::uint32_t Count(std::string_view name, std::uint64_t count_max, std::size_t bytes_each);

  /// A 32-bit size and as many characters or bytes, without a copy.
  std::string_view Text(std::string_view name, std::size_t size_max);

  /// The next `size` bytes, without a copy.
  std::span<const std::byte> Bytes(std::string_view name, std::uint64_t size);

  /// Copies as many elements as `out` holds.
  template <typename T>
  void Array(std::string_view name, std::span<T> out) {
    const std::span<const std::byte> bytes = Bytes(name, out.size_bytes());
    if (!bytes.empty()) std::memcpy(out.data(), bytes.data(), bytes.size());
  }

  /// Records the first error: "what: name problem at byte N of M". Later ones change nothing.
  void Refuse(std::string_view name, std::string_view problem);

  /// Refuses unless every byte was read.
  void End();

  bool ok() const { return status_.ok(); }
  const absl::Status& status() const { return status_; }
  std::size_t remaining() const { return ok() ? reader_.remaining() : 0; }
  std::size_t offset() const { return reader_.offset(); }

 private:
  template <typename T>
  T Checked(std::string_view name, std::size_t start, T value);
  void RefuseAt(std::size_t offset, std::string_view name, std::string_view problem);

  const std::string what_;
  const std::size_t size_;
  ByteReader reader_;
  absl::Status status_;
};

}  // namespace longtail
