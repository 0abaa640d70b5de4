#include "worker/device/selfcheck/trial.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace longtail::device {
namespace {

constexpr absl::Duration kCopyWaitMax = absl::Minutes(1);

template <typename Item>
Item At(const std::vector<std::byte>& bytes, std::size_t i) {
  Item item;
  std::memcpy(&item, bytes.data() + i * sizeof(item), sizeof(item));
  return item;
}

}  // namespace

float* Trial::Floats(const std::string& name, std::size_t count, float low, float high) {
  std::vector<float> contents(count);
  for (float& value : contents) value = rng_.Uniform(low, high);
  return Array(name, contents);
}

std::uint32_t* Trial::Words(const std::string& name, std::size_t count, std::uint32_t below) {
  std::vector<std::uint32_t> contents(count);
  for (std::uint32_t& value : contents) value = static_cast<std::uint32_t>(rng_.Below(below));
  return Array(name, contents);
}

void* Trial::Take(const std::string& name, Kind kind, const void* contents, std::size_t count,
                  std::size_t bytes) {
  if (!status_.ok()) return nullptr;
  absl::StatusOr<Memory> memory = device_.Allocate(MemoryKind::kDevice, bytes);
  if (!memory.ok()) {
    status_ = memory.status();
    return nullptr;
  }
  stretches_.push_back({.name = name,
                        .kind = kind,
                        .count = count,
                        .bytes = std::vector<std::byte>(bytes),
                        .memory = *std::move(memory)});
  Stretch& stretch = stretches_.back();
  if (bytes != 0) std::memcpy(stretch.bytes.data(), contents, bytes);
  stream_.Copy(stretch.memory.At<void>(0), stretch.bytes.data(), bytes);
  return stretch.memory.At<void>(0);
}

absl::Status Trial::ReadBack() {
  LONGTAIL_RETURN_IF_ERROR(status_);
  for (Stretch& stretch : stretches_) {
    stream_.Copy(stretch.bytes.data(), stretch.memory.At<void>(0), stretch.bytes.size());
  }
  return stream_.Finish(kCopyWaitMax);
}

double Trial::ValueAt(const Stretch& stretch, std::size_t i) {
  switch (stretch.kind) {
    case Kind::kWords16:
      return At<std::uint16_t>(stretch.bytes, i);
    case Kind::kWords32:
      return At<std::uint32_t>(stretch.bytes, i);
    case Kind::kWords64:
      return static_cast<double>(At<std::uint64_t>(stretch.bytes, i));
    case Kind::kFloats:
      return static_cast<double>(At<float>(stretch.bytes, i));
    case Kind::kDoubles:
      break;
  }
  return At<double>(stretch.bytes, i);
}

std::string Trial::DifferenceFrom(const Trial& wanted, double tolerance) const {
  if (stretches_.size() != wanted.stretches_.size()) return "other arrays";
  for (std::size_t s = 0; s < stretches_.size(); ++s) {
    const Stretch& got = stretches_[s];
    const Stretch& want = wanted.stretches_[s];
    if (got.bytes == want.bytes) continue;
    const bool has_floats = got.kind == Kind::kFloats || got.kind == Kind::kDoubles;
    const std::size_t size = got.bytes.size() / std::max<std::size_t>(got.count, 1);
    for (std::size_t i = 0; i < got.count; ++i) {
      if (std::memcmp(got.bytes.data() + i * size, want.bytes.data() + i * size, size) == 0) {
        continue;
      }
      const double a = ValueAt(got, i);
      const double b = ValueAt(want, i);
      // Written so that NaN is a difference.
      if (has_floats && std::abs(a - b) <= tolerance * std::max(1.0, std::abs(b))) continue;
      return absl::StrCat(got.name, "[", i, "] is ", a, ": want ", b,
                          tolerance == 0 ? ", to the bit" : "");
    }
  }
  return "";
}

}  // namespace longtail::device
