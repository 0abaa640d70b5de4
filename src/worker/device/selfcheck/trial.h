// One run of a check on one device: arrays with contents that a seed decides, what was enqueued on
// them, and what came of it. The same check on two devices has the same contents.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "base/random.h"
#include "worker/device/device.h"

namespace longtail::device {

/// Thread: one owner. Device and stream must outlive it, and what was enqueued must be done before
/// it goes.
class Trial {
 public:
  Trial(Device& device, Stream& stream, std::uint64_t seed)
      : device_(device), stream_(stream), rng_(seed) {}

  /// An array in the device's memory; its name is for sentences. Null after an error.
  template <typename Item>
  Item* Array(const std::string& name, const std::vector<Item>& contents) {
    return static_cast<Item*>(Take(name, KindOf(Item{}), contents.data(), contents.size(),
                                   contents.size() * sizeof(Item)));
  }
  float* Floats(const std::string& name, std::size_t count, float low = -2, float high = 2);
  float* Zeros(const std::string& name, std::size_t count) {
    return Array(name, std::vector<float>(count));
  }
  std::uint32_t* Words(const std::string& name, std::size_t count, std::uint32_t below);

  Device& device() { return device_; }
  Stream& stream() { return stream_; }
  Rng& rng() { return rng_; }

  /// The first error of an allocation, or of what a check has made.
  const absl::Status& status() const { return status_; }
  void Keep(const absl::Status& status) { status_.Update(status); }

  /// Copies all arrays to the host; waits for what was enqueued.
  absl::Status ReadBack();

  /// Compares what ReadBack brought with another device's: bits, or where tolerance is not 0 floats
  /// that differ by at most tolerance * max(1, |wanted|).
  ///
  /// Returns: "" or the first difference, with array, place and both values.
  std::string DifferenceFrom(const Trial& wanted, double tolerance) const;

 private:
  enum class Kind : std::uint8_t { kWords16, kWords32, kWords64, kFloats, kDoubles };
  struct Stretch {
    std::string name;
    Kind kind;
    std::size_t count;
    std::vector<std::byte> bytes;  // As they were, then as they came back.
    Memory memory;
  };

  static constexpr Kind KindOf(std::uint16_t) { return Kind::kWords16; }
  static constexpr Kind KindOf(std::uint32_t) { return Kind::kWords32; }
  static constexpr Kind KindOf(std::uint64_t) { return Kind::kWords64; }
  static constexpr Kind KindOf(float) { return Kind::kFloats; }
  static constexpr Kind KindOf(double) { return Kind::kDoubles; }
  static double ValueAt(const Stretch& stretch, std::size_t i);
  void* Take(const std::string& name, Kind kind, const void* contents, std::size_t count,
             std::size_t bytes);

  Device& device_;
  Stream& stream_;
  Rng rng_;
  std::vector<Stretch> stretches_;
  absl::Status status_;
};

}  // namespace longtail::device
