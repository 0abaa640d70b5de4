// Takes a message's frame (frame.h) apart. The bytes are a peer's: nothing in them is believed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "protocol/field_reader.h"
#include "protocol/frame.h"

namespace longtail {

class FrameReader {
 public:
  /// Checks the header. `frame` must outlive the reader and may lie unaligned.
  ///
  /// Errors: InvalidArgument (cut short, foreign, newer, unknown kind, sizes that do not agree).
  static absl::StatusOr<FrameReader> Open(std::span<const std::byte> frame);

  /// As above, for a frame in parts; the first must hold all of its fields. If there is an `owner`
  /// of the parts, arrays stay in them where that can be.
  static absl::StatusOr<FrameReader> Open(std::span<const std::span<const std::byte>> parts,
                                          std::shared_ptr<const void> owner);

  MessageKind kind() const { return kind_; }

  FieldReader& fields() { return fields_; }

  /// The next `size` elements of the bulk, aligned, in memory that bulk_owner() keeps; empty after
  /// an error.
  ///
  /// Cost: none if the parts have an owner, and the array lies in one of them and aligned; else one
  ///       copy, and the first time an allocation of as much as is left of the bulk.
  template <typename T>
  std::span<const T> Bulk(std::string_view name, std::uint64_t size) {
    const std::size_t at = TakeBulk(name, size, sizeof(T));
    if (!ok() || size == 0) return {};
    const std::size_t bytes = static_cast<std::size_t>(size) * sizeof(T);
    const std::byte* data = owner_ == nullptr ? nullptr : InPlace(at, bytes, alignof(T));
    if (data == nullptr) data = Copied(at, bytes);
    return {reinterpret_cast<const T*>(data), static_cast<std::size_t>(size)};
  }

  /// As Bulk, copied straight into a vector.
  template <typename T>
  void Bulk(std::string_view name, std::uint64_t size, std::vector<T>& out) {
    const std::size_t at = TakeBulk(name, size, sizeof(T));
    if (!ok()) return;
    out.resize(static_cast<std::size_t>(size));
    CopyBulk(at, out.size() * sizeof(T), reinterpret_cast<std::byte*>(out.data()));
  }

  /// Owns what the spans of all calls of Bulk so far point at; null if none were taken.
  std::shared_ptr<const void> bulk_owner() const;

  bool ok() const { return fields_.ok() && status_.ok(); }

  /// OK if every field and all of the bulk were read without an error.
  absl::Status Finish();

 private:
  FrameReader(MessageKind kind, std::string what, std::span<const std::byte> fields,
              std::size_t bulk_offset);

  // A part of the bulk, and where in the bulk it begins.
  struct Part {
    std::size_t begin = 0;
    std::span<const std::byte> bytes;
  };

  // The offset in the bulk of the next array; records an error if it does not fit.
  std::size_t TakeBulk(std::string_view name, std::uint64_t size, std::size_t element_bytes);
  // The part that holds byte `at` of the bulk, which there must be.
  const Part& PartAt(std::size_t at) const;
  bool IsZero(std::size_t begin, std::size_t end) const;
  void CopyBulk(std::size_t at, std::size_t size, std::byte* to) const;
  const std::byte* InPlace(std::size_t at, std::size_t size, std::size_t alignment);
  const std::byte* Copied(std::size_t at, std::size_t size);
  void RefuseBulk(std::string_view name, std::string_view problem);

  MessageKind kind_;
  std::string what_;
  FieldReader fields_;
  std::vector<Part> parts_;
  std::size_t bulk_offset_;  // In the frame, for messages.
  std::size_t bulk_size_ = 0;
  std::size_t taken_ = 0;
  std::shared_ptr<const void> owner_;  // Of the parts; null: they do not outlive the reader.
  bool is_in_place_ = false;           // An array in the parts was given out.
  std::shared_ptr<std::byte[]> copy_;  // Of the bulk from copy_begin_ on, where it was asked for.
  std::size_t copy_begin_ = 0;
  absl::Status status_;
};

}  // namespace longtail
