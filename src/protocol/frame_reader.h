// Takes a message's frame (frame.h) apart. The bytes are a peer's: nothing in them is believed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
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

  /// As above, for a frame in parts; the first must hold all of its fields.
  ///
  /// Cost: more than one part are copied here, in one allocation, and not again by Bulk.
  static absl::StatusOr<FrameReader> Open(std::span<const std::span<const std::byte>> parts);

  MessageKind kind() const { return kind_; }

  FieldReader& fields() { return fields_; }

  /// The next `size` elements of the bulk, aligned, in memory that bulk_owner() keeps; empty after
  /// an error.
  ///
  /// Cost: the first call copies the whole bulk, in one allocation, if Open did not.
  template <typename T>
  std::span<const T> Bulk(std::string_view name, std::uint64_t size) {
    const std::size_t at = TakeBulk(name, size, sizeof(T));
    if (!ok()) return {};
    CopyBulk();
    return {reinterpret_cast<const T*>(copy_.get() + at), static_cast<std::size_t>(size)};
  }

  /// As Bulk, copied straight into a vector.
  template <typename T>
  void Bulk(std::string_view name, std::uint64_t size, std::vector<T>& out) {
    const std::size_t at = TakeBulk(name, size, sizeof(T));
    if (!ok()) return;
    out.resize(static_cast<std::size_t>(size));
    if (size > 0) std::memcpy(out.data(), bulk_.data() + at, out.size() * sizeof(T));
  }

  /// Owns what Bulk's spans point at; null if none were taken.
  std::shared_ptr<const void> bulk_owner() const { return copy_; }

  bool ok() const { return fields_.ok() && status_.ok(); }

  /// OK if every field and all of the bulk were read without an error.
  absl::Status Finish();

 private:
  FrameReader(MessageKind kind, std::string what, std::span<const std::byte> fields,
              std::span<const std::byte> bulk, std::size_t bulk_offset);

  // The offset in the bulk of the next array; records an error if it does not fit.
  std::size_t TakeBulk(std::string_view name, std::uint64_t size, std::size_t element_bytes);
  void CopyBulk();
  void RefuseBulk(std::string_view name, std::string_view problem);

  MessageKind kind_;
  std::string what_;
  FieldReader fields_;
  std::span<const std::byte> bulk_;
  std::size_t bulk_offset_;  // In the frame, for messages.
  std::size_t taken_ = 0;
  std::shared_ptr<std::byte[]> copy_;
  absl::Status status_;
};

}  // namespace longtail
