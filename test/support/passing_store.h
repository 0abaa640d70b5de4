// A blob store that passes everything on, for tests that change a part of what it does.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "io/blob_store.h"

namespace longtail::test {

class PassingStore : public BlobStore {
 public:
  explicit PassingStore(BlobStore& under) : under_(under) {}

  absl::Status Write(std::string_view name, std::string_view bytes) override {
    return under_.Write(name, bytes);
  }
  absl::Status Extend(std::string_view name, std::uint64_t from, std::string_view bytes) override {
    return under_.Extend(name, from, bytes);
  }
  absl::StatusOr<std::string> Read(std::string_view name) override { return under_.Read(name); }
  absl::StatusOr<std::vector<std::string>> List(std::string_view prefix) override {
    return under_.List(prefix);
  }
  absl::Status Remove(std::string_view name) override { return under_.Remove(name); }
  absl::Status RemoveUnfinished(std::string_view prefix) override {
    return under_.RemoveUnfinished(prefix);
  }
  std::string Describe() const override { return under_.Describe(); }

 private:
  BlobStore& under_;
};

}  // namespace longtail::test
