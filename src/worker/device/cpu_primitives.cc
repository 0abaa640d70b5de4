#include "worker/device/cpu_primitives.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory>
#include <utility>

#include "base/check.h"

namespace longtail::device {
namespace {

constexpr std::uint32_t kDigitBits = 8;
constexpr std::size_t kDigits = std::size_t{1} << kDigitBits;
constexpr std::size_t kPasses = 64 / kDigitBits;
using Counts = std::array<std::uint32_t, kDigits>;

std::size_t Digit(std::uint64_t key, std::size_t pass) {
  return key >> (pass * kDigitBits) & (kDigits - 1);
}

}  // namespace

void SortOnCpu(const SortPairs& call, const SortSpace& space) {
  const std::size_t count = call.count;
  LONGTAIL_CHECK(space.keys.size() >= count);
  LONGTAIL_CHECK(space.values.size() >= count);
  std::array<Counts, kPasses> counts{};  // Of all passes, in one look at the keys.
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t pass = 0; pass < kPasses; ++pass) ++counts[pass][Digit(call.keys[i], pass)];
  }
  const std::uint64_t* keys = call.keys;
  const std::uint32_t* values = call.values;
  const std::uint64_t* done_keys = call.sorted_keys;
  std::uint64_t* to_keys = call.sorted_keys;
  std::uint32_t* to_values = call.sorted_values;
  std::uint64_t* other_keys = space.keys.data();
  std::uint32_t* other_values = space.values.data();
  for (std::size_t pass = 0; pass * kDigitBits < call.bits; ++pass) {
    Counts& places = counts[pass];
    if (count == 0 || places[Digit(call.keys[0], pass)] == count) continue;
    std::uint32_t begin = 0;
    for (std::uint32_t& place : places) place = std::exchange(begin, begin + place);
    for (std::size_t i = 0; i < count; ++i) {
      const std::uint32_t place = places[Digit(keys[i], pass)]++;
      to_keys[place] = keys[i];
      to_values[place] = values[i];
    }
    keys = to_keys;
    values = to_values;
    std::swap(to_keys, other_keys);
    std::swap(to_values, other_values);
  }
  if (keys == done_keys) return;
  std::copy_n(keys, count, call.sorted_keys);
  std::copy_n(values, count, call.sorted_values);
}

void FindRunsOnCpu(const RunLengths& call) {
  std::uint32_t runs = 0;
  for (std::uint32_t i = 0; i < call.count;) {
    const std::uint32_t begin = i;
    while (i < call.count && call.keys[i] == call.keys[begin]) ++i;
    call.unique[runs] = call.keys[begin];
    call.lengths[runs] = i - begin;
    ++runs;
  }
  *call.run_count = runs;
}

void SumOnCpu(const ExclusiveSum& call) {
  std::uint32_t sum = 0;
  for (std::uint32_t i = 0; i < call.count; ++i) {
    call.sums[i] = sum;
    sum += call.values[i];
  }
}

void PickOnCpu(const Select& call) {
  std::uint32_t picked = 0;
  for (std::uint32_t i = 0; i < call.count; ++i) {
    if (call.flags[i] != 0) call.places[picked++] = i;
  }
  *call.place_count = picked;
}

}  // namespace longtail::device
