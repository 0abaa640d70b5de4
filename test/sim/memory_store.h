// Blobs in memory, for simulations: nothing fails but what the simulation breaks itself.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "io/blob_store.h"

namespace longtail::sim {

/// Thread: one at a time.
class MemoryStore final : public BlobStore {
 public:
  absl::Status Write(std::string_view name, std::string_view bytes) override {
    blobs_[std::string(name)] = bytes;
    return absl::OkStatus();
  }
  absl::Status Extend(std::string_view name, std::uint64_t from, std::string_view bytes) override {
    std::string& blob = blobs_[std::string(name)];
    if (blob.size() < from) return absl::FailedPreconditionError("it has fewer bytes");
    blob.resize(static_cast<std::size_t>(from));
    blob += bytes;
    return absl::OkStatus();
  }
  absl::StatusOr<std::string> Read(std::string_view name) override {
    const auto found = blobs_.find(std::string(name));
    if (found != blobs_.end()) return found->second;
    return absl::NotFoundError(absl::StrCat("no blob '", std::string(name), "'"));
  }
  absl::StatusOr<std::vector<std::string>> List(std::string_view prefix) override {
    std::vector<std::string> names;
    for (const auto& [name, bytes] : blobs_) {
      if (name.starts_with(prefix)) names.push_back(name);
    }
    return names;
  }
  absl::Status Remove(std::string_view name) override {
    if (blobs_.erase(std::string(name)) > 0) return absl::OkStatus();
    return absl::NotFoundError(absl::StrCat("no blob '", std::string(name), "'"));
  }
  std::string Describe() const override { return "memory"; }

 private:
  std::map<std::string, std::string> blobs_;
};

}  // namespace longtail::sim
