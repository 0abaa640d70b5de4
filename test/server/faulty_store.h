// A blob store that fails on purpose.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "io/blob_store.h"

namespace longtail::test {

/// Passes everything on to `under`, but refuses the write of that number, counted from 0, as a full
/// disk does. Thread: any.
class FaultyStore final : public BlobStore {
 public:
  FaultyStore(BlobStore& under, std::uint64_t failing_write)
      : under_(under), failing_write_(failing_write) {}

  absl::Status Write(std::string_view name, std::string_view bytes) override {
    if (writes_.fetch_add(1) != failing_write_) return under_.Write(name, bytes);
    return absl::ResourceExhaustedError(
        absl::StrCat("writing '", std::string(name), "': no space left"));
  }
  absl::Status Extend(std::string_view name, std::uint64_t from, std::string_view bytes) override {
    if (writes_.fetch_add(1) != failing_write_) return under_.Extend(name, from, bytes);
    return absl::ResourceExhaustedError(
        absl::StrCat("extending '", std::string(name), "': no space left"));
  }
  absl::StatusOr<std::string> Read(std::string_view name) override { return under_.Read(name); }
  absl::StatusOr<std::vector<std::string>> List(std::string_view prefix) override {
    return under_.List(prefix);
  }
  absl::Status Remove(std::string_view name) override { return under_.Remove(name); }
  std::string Describe() const override { return under_.Describe(); }

  std::uint64_t writes() const { return writes_.load(); }

 private:
  BlobStore& under_;
  const std::uint64_t failing_write_;
  std::atomic<std::uint64_t> writes_{0};
};

}  // namespace longtail::test
