// What was sent over many pushes is the sum of the gradients, less one rounding.
#include "worker/error_feedback.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <vector>

#include "base/random.h"
#include "protocol/value_codec.h"

namespace longtail {
namespace {

constexpr std::uint32_t kDim = 3;
constexpr std::size_t kPlenty = std::size_t{1} << 24;

// What a server makes of a push.
std::vector<float> Sent(ErrorFeedback& feedback, WireValues format, TableId table,
                        const std::vector<Key>& keys, const std::vector<float>& gradients) {
  const auto dim = static_cast<std::uint32_t>(gradients.size() / keys.size());
  std::vector<std::byte> packed(keys.size() * PackedRowBytes(format, dim));
  feedback.Pack(format, table, dim, keys, gradients, packed.data());
  std::vector<float> sent(gradients.size());
  REQUIRE(UnpackRows(format, dim, packed, sent.data()));
  return sent;
}

struct Sums {
  double wanted[kDim] = {};
  double sent[kDim] = {};
  float largest = 0;  // Of what any push had to carry.
};

TEST_CASE("over many pushes what is sent is what was to be, but for one rounding",
          "[worker][error_feedback][property]") {
  const WireValues format =
      GENERATE(WireValues::kBfloat16, WireValues::kFloat16, WireValues::kInt8);
  CAPTURE(format);
  Rng rng(11);
  ErrorFeedback feedback(kPlenty);
  std::map<Key, Sums> sums;
  for (int push = 0; push < 2000; ++push) {
    std::vector<Key> keys;
    for (Key key = 0; key < 20; ++key) {
      if (rng.Below(3) == 0) keys.push_back(key);
    }
    if (keys.empty()) continue;
    std::vector<float> gradients(keys.size() * kDim);
    for (float& g : gradients) g = rng.Uniform(-1, 1);
    const std::vector<float> sent = Sent(feedback, format, TableId{0}, keys, gradients);
    for (std::size_t i = 0; i < keys.size(); ++i) {
      Sums& s = sums[keys[i]];
      for (std::size_t c = 0; c < kDim; ++c) {
        s.wanted[c] += static_cast<double>(gradients[i * kDim + c]);
        s.sent[c] += static_cast<double>(sent[i * kDim + c]);
        s.largest = std::max(s.largest, std::abs(sent[i * kDim + c]));
      }
    }
  }
  // Half a step of the largest that was sent; and what the float sums with what was kept lost.
  const double half_step = format == WireValues::kBfloat16  ? 0x1p-9
                           : format == WireValues::kFloat16 ? 0x1p-12
                                                            : 0x1p-7;
  for (const auto& [key, s] : sums) {
    for (std::size_t c = 0; c < kDim; ++c) {
      CAPTURE(key, c, s.wanted[c], s.sent[c]);
      REQUIRE(std::abs(s.wanted[c] - s.sent[c]) <=
              2 * static_cast<double>(s.largest) * half_step + 1e-4);
    }
  }
  CHECK(feedback.dropped() == 0);
}

TEST_CASE("small gradients beside a large one come through in the end",
          "[worker][error_feedback]") {
  ErrorFeedback feedback(kPlenty);
  double sent = 0;
  for (int push = 0; push < 1000; ++push) {
    // A thousandth of what one step of the row is.
    sent +=
        static_cast<double>(Sent(feedback, WireValues::kInt8, TableId{0}, {9}, {127, 0.001F})[1]);
  }
  CHECK(std::abs(sent - 1) <= 0.5);
}

TEST_CASE("what is exact leaves nothing, and takes no memory", "[worker][error_feedback]") {
  ErrorFeedback feedback(kPlenty);

  const std::vector<float> gradients = {1, 2, -3, 100, -127, 0};
  CHECK(Sent(feedback, WireValues::kInt8, TableId{0}, {1, 2}, gradients) == gradients);

  CHECK(feedback.bytes() == 0);
}

TEST_CASE("each table's keys are their own", "[worker][error_feedback]") {
  ErrorFeedback feedback(kPlenty);
  Sent(feedback, WireValues::kInt8, TableId{0}, {1}, {127, 0.375F});

  CHECK(Sent(feedback, WireValues::kInt8, TableId{1}, {1}, {0, 0, 0}) ==
        std::vector<float>{0, 0, 0});
  CHECK(Sent(feedback, WireValues::kInt8, TableId{0}, {2}, {0, 0}) == std::vector<float>{0, 0});
  CHECK(Sent(feedback, WireValues::kInt8, TableId{0}, {1}, {0, 0}) ==
        std::vector<float>{0, 0.375F});
}

TEST_CASE("a row that is not finite is sent so, and what was kept stays",
          "[worker][error_feedback]") {
  const WireValues format =
      GENERATE(WireValues::kBfloat16, WireValues::kFloat16, WireValues::kInt8);
  ErrorFeedback feedback(kPlenty);
  const float odd = 1 + 0x1p-20F;
  Sent(feedback, format, TableId{0}, {1}, {odd, odd});
  const float nan = std::numeric_limits<float>::quiet_NaN();

  const std::vector<float> sent = Sent(feedback, format, TableId{0}, {1}, {nan, 1});
  CHECK_FALSE(std::isfinite(sent[0]));

  const std::vector<float> next = Sent(feedback, format, TableId{0}, {1}, {0, 0});
  CHECK(std::abs(next[0] - 0x1p-20F) < 0x1p-26F);
}

TEST_CASE("memory is bounded, keys that were not pushed for long make room",
          "[worker][error_feedback]") {
  constexpr std::size_t kBytesMax = std::size_t{1} << 16;
  ErrorFeedback feedback(kBytesMax);
  const auto push = [&](Key key, float g) {
    return Sent(feedback, WireValues::kInt8, TableId{0}, {key}, {127, g})[1];
  };
  double sent = 0;
  for (Key key = 1000; key < 6000; ++key) {
    push(key, 0.375F);
    sent += static_cast<double>(push(7, 0.001F));  // Always pushed, so always kept.
    REQUIRE(feedback.bytes() <= kBytesMax);
  }
  CHECK(std::abs(sent - 5) <= 0.5);
  CHECK(feedback.bytes() > kBytesMax / 2);
  CHECK(feedback.dropped() > 3000);
  CHECK(feedback.dropped() < 5000);
  CHECK(push(5999, 0.375F) == 1);  // 0.75 is nearer to 1: the last key's was kept.
  CHECK(push(1000, 0.375F) == 0);  // The first key's is gone.
}

TEST_CASE("with no memory at all gradients are rounded, no more", "[worker][error_feedback]") {
  ErrorFeedback feedback(0);

  for (int i = 0; i < 10; ++i) {
    CHECK(Sent(feedback, WireValues::kInt8, TableId{0}, {1}, {127, 0.375F}) ==
          std::vector<float>{127, 0});
  }
  CHECK(feedback.bytes() == 0);
  CHECK(feedback.dropped() == 10);
}

}  // namespace
}  // namespace longtail
