// Little-endian values to bytes and back.
//
// ByteReader trusts nothing: it never reads past its bytes, and after the first failure it reads
// zeros and says where it failed. Neither end needs aligned memory.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

#include "absl/status/status.h"

namespace longtail {

static_assert(std::endian::native == std::endian::little,
              "the bytes of values are copied as they lie: a big-endian machine needs swaps here");

/// The bytes of a string, without a copy.
inline std::span<const std::byte> AsBytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

/// The string over some bytes, without a copy.
inline std::string_view AsText(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Appends values to a string, which must outlive the writer.
class ByteWriter {
 public:
  explicit ByteWriter(std::string& out) : out_(out) {}

  void U8(std::uint8_t value) { Value(value); }
  void U16(std::uint16_t value) { Value(value); }
  void U32(std::uint32_t value) { Value(value); }
  void U64(std::uint64_t value) { Value(value); }
  void F32(float value) { Value(value); }
  void F64(double value) { Value(value); }

  /// Appends `bytes` as they are.
  void Bytes(std::span<const std::byte> bytes) { Raw(bytes.data(), bytes.size()); }

  /// Appends the elements of `values` as they lie in memory, without their number.
  template <typename T>
  void Array(std::span<const T> values) {
    static_assert(std::is_arithmetic_v<T>);
    Raw(values.data(), values.size_bytes());
  }

  /// Appends the size of `text` as 32 bits, then its characters.
  void Text(std::string_view text);

  /// Overwrites four bytes at `offset`, for a length known only afterwards.
  void PatchU32(std::size_t offset, std::uint32_t value);

  /// Bytes in the string so far.
  std::size_t size() const { return out_.size(); }

 private:
  template <typename T>
  void Value(T value) {
    Raw(&value, sizeof(value));
  }
  void Raw(const void* data, std::size_t size) {
    if (size > 0) out_.append(static_cast<const char*>(data), size);
  }

  std::string& out_;
};

/// Reads values in the order they were written. `bytes` must outlive the reader.
///
/// Errors: a read past the end fails; it and every later one give zeros or nothing, and ok() stays
///         false. One test of ok() or status() after many reads is enough.
class ByteReader {
 public:
  explicit ByteReader(std::span<const std::byte> bytes) : bytes_(bytes) {}
  explicit ByteReader(std::string_view text) : bytes_(AsBytes(text)) {}

  std::uint8_t U8() { return Value<std::uint8_t>(); }
  std::uint16_t U16() { return Value<std::uint16_t>(); }
  std::uint32_t U32() { return Value<std::uint32_t>(); }
  std::uint64_t U64() { return Value<std::uint64_t>(); }
  float F32() { return Value<float>(); }
  double F64() { return Value<double>(); }

  /// The next `size` bytes, without a copy; empty if there are not that many.
  std::span<const std::byte> Bytes(std::uint64_t size) {
    if (!Has(size)) return {};
    const auto taken = bytes_.subspan(offset_, static_cast<std::size_t>(size));
    offset_ += taken.size();
    return taken;
  }

  /// Copies as many elements as `out` holds; leaves `out` alone and returns false if there are not
  /// that many.
  template <typename T>
  bool Array(std::span<T> out) {
    static_assert(std::is_arithmetic_v<T>);
    const auto taken = Bytes(out.size_bytes());
    if (!ok_) return false;
    if (!taken.empty()) std::memcpy(out.data(), taken.data(), taken.size());
    return true;
  }

  /// What Text wrote, without a copy; fails if it is longer than `size_max` characters.
  std::string_view Text(std::size_t size_max);

  bool ok() const { return ok_; }

  /// Bytes read so far; after a failure, the offset of the read that failed.
  std::size_t offset() const { return offset_; }

  /// Bytes not read yet.
  std::size_t remaining() const { return bytes_.size() - offset_; }

  /// Marks the reader as failed at its present offset, for a value that is read but wrong.
  void Fail() { ok_ = false; }

  /// OK, or InvalidArgument that names `what` was read, the offset and the size.
  absl::Status status(std::string_view what) const;

  /// As status(); in addition the bytes must all have been read.
  absl::Status Finish(std::string_view what) const;

 private:
  // The size comes from the bytes themselves, so it is compared before it is added to anything.
  bool Has(std::uint64_t size) {
    if (size > remaining()) ok_ = false;
    return ok_;
  }

  template <typename T>
  T Value() {
    T value{};
    if (Has(sizeof(T))) {
      std::memcpy(&value, bytes_.data() + offset_, sizeof(T));
      offset_ += sizeof(T);
    }
    return value;
  }

  std::span<const std::byte> bytes_;
  std::size_t offset_ = 0;
  bool ok_ = true;
};

}  // namespace longtail
