// What cluster_bench sends over each way to a server, and what such a way is.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "bench/key_batches.h"
#include "longtail/ids.h"

namespace longtail::bench {

/// One kind of request. Pulls bring dim floats a key, pushes take them, and a count.
struct Shape {
  bool is_push = false;
  std::size_t keys = 0;
  std::size_t dim = 0;

  std::size_t RequestBytes() const {
    return keys * (sizeof(Key) + (is_push ? sizeof(std::uint32_t) + dim * sizeof(float) : 0));
  }
  std::size_t ReplyBytes() const { return is_push ? 0 : keys * dim * sizeof(float); }
};

/// What rivals write before a request's bytes.
struct Ask {
  std::uint32_t is_push = 0;
  std::uint32_t keys = 0;
  std::uint32_t dim = 0;
  std::uint32_t reserved = 0;
};

inline Ask AskOf(const Shape& shape) {
  return {shape.is_push ? 1U : 0U, static_cast<std::uint32_t>(shape.keys),
          static_cast<std::uint32_t>(shape.dim), 0};
}
inline Shape ShapeOf(const Ask& ask) {
  return {.is_push = ask.is_push != 0, .keys = ask.keys, .dim = ask.dim};
}

/// The worker's memory: keys of a few batches of each size, gradients, room for rows. Keys of a
/// batch are all different, and rows of the servers' stores.
class Workload {
 public:
  static constexpr std::size_t kBatches = 8;
  static constexpr std::size_t kSlots = 4;  // The most requests in flight.

  Workload(std::uint64_t rows, std::size_t dim, const std::vector<std::size_t>& sizes)
      : rows_(rows), dim_(dim), counts_(sizes.back(), 1), gradients_(sizes.back() * dim, 0.01F) {
    for (const std::size_t size : sizes) {
      KeyBatches drawn(rows, size, KeyLaw::kUniform, size);
      for (auto& batch : keys_[size]) {
        drawn.Next();
        batch = drawn.keys();
      }
    }
    for (auto& slot : pulled_) slot.resize(sizes.back() * dim);
  }

  std::uint64_t rows() const { return rows_; }
  std::size_t dim() const { return dim_; }
  const std::map<std::size_t, std::array<std::vector<Key>, kBatches>>& keys() const {
    return keys_;
  }
  const std::vector<Key>& Keys(const Shape& shape, std::size_t number) const {
    return keys_.at(shape.keys)[number % kBatches];
  }
  const std::vector<std::uint32_t>& counts() const { return counts_; }
  const std::vector<float>& gradients() const { return gradients_; }
  float* Rows(std::size_t number) { return pulled_[number % kSlots].data(); }

 private:
  std::uint64_t rows_;
  std::size_t dim_;
  std::map<std::size_t, std::array<std::vector<Key>, kBatches>> keys_;
  std::vector<std::uint32_t> counts_;
  std::vector<float> gradients_;
  std::array<std::vector<float>, kSlots> pulled_;
};

/// A worker's way to one server. At most Workload::kSlots requests are in flight.
class WirePath {
 public:
  virtual ~WirePath() = default;
  virtual void Start(const Shape& shape, std::size_t number) = 0;
  virtual void Finish() = 0;  // Waits for the oldest.
};

/// Rivals' ways, and ours: with a table behind it, and messages alone.
std::unique_ptr<WirePath> ConnectTcp(const std::string& address, Workload& load);
std::unique_ptr<WirePath> ConnectZmq(const std::string& address, Workload& load, bool has_store);
std::unique_ptr<WirePath> ConnectTransport(const std::string& address, Workload& load);
std::unique_ptr<WirePath> ConnectCluster(const std::string& coordinator, Workload& load);

/// The servers; each returns its address, and serves in threads until the process ends.
struct StoreSize {
  std::uint64_t rows = 0;
  std::size_t dim = 0;
};
std::string ServeTcp();
std::string ServeZmq();
std::string ServeUnorderedMap(const StoreSize& size);
std::string ServePrefetched(const StoreSize& size);
std::string ServeTransport();
struct ClusterShape {
  std::uint32_t servers = 1;
  std::uint32_t replicas = 1;
  std::string ipc_directory{};
  std::string log_store{};
  std::string keys_directory{};  ///< Where it makes keys; empty: connections are plain.
};
std::string ServeCluster(const ClusterShape& shape);

/// Removes all that the store at that address has.
void RemoveLogs(const std::string& address);

}  // namespace longtail::bench
