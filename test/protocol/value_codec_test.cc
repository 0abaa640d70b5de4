// Rows in each format: what the format has comes back, the rest to within half a step.
#include "protocol/value_codec.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "base/random.h"

namespace longtail {
namespace {

std::vector<std::byte> Packed(WireValues format, std::size_t dim, const std::vector<float>& rows) {
  std::vector<std::byte> packed(rows.size() / dim * PackedRowBytes(format, dim));
  PackRows(format, dim, rows, packed.data());
  return packed;
}

std::vector<float> Sent(WireValues format, std::size_t dim, const std::vector<float>& rows) {
  std::vector<float> got(rows.size());
  REQUIRE(UnpackRows(format, dim, Packed(format, dim, rows), got.data()));
  return got;
}

TEST_CASE("rows come back to within half a step, and once rounded stay",
          "[protocol][value_codec][property]") {
  const WireValues format = GENERATE(WireValues::kFloat32, WireValues::kBfloat16,
                                     WireValues::kFloat16, WireValues::kInt8);
  const std::size_t dim = GENERATE(1U, 2U, 9U, 16U, 65U);
  CAPTURE(format, dim);
  Rng rng(7);
  std::vector<float> rows(dim * 40);
  for (std::size_t at = 0; at < rows.size(); at += dim) {
    const float size = std::ldexp(1.0F, static_cast<int>(rng.Below(24)) - 14);
    for (std::size_t c = 0; c < dim; ++c) rows[at + c] = rng.Uniform(-size, size);
  }

  const std::vector<float> got = Sent(format, dim, rows);

  for (std::size_t at = 0; at < rows.size(); at += dim) {
    float largest = 0;
    for (std::size_t c = 0; c < dim; ++c) largest = std::max(largest, std::abs(rows[at + c]));
    for (std::size_t i = at; i < at + dim; ++i) {
      float bound = 0;
      if (format == WireValues::kBfloat16) bound = std::abs(rows[i]) * 0x1p-8F;
      if (format == WireValues::kFloat16) bound = std::abs(rows[i]) * 0x1p-11F + 0x1p-25F;
      if (format == WireValues::kInt8) bound = largest / 126;  // At worst 63 steps.
      CAPTURE(rows[i], got[i], largest);
      REQUIRE(std::abs(rows[i] - got[i]) <= bound);
    }
  }
  CHECK(Sent(format, dim, got) == got);
}

TEST_CASE("whole numbers up to what a format has are exact", "[protocol][value_codec]") {
  const auto exact = [](WireValues format, int largest) {
    std::vector<float> rows;
    for (int i = -largest; i <= largest; ++i) rows.push_back(static_cast<float>(i));
    return Sent(format, rows.size(), rows) == rows;
  };
  CHECK(exact(WireValues::kFloat32, 100'000));
  CHECK(exact(WireValues::kBfloat16, 256));
  CHECK(exact(WireValues::kFloat16, 2048));
  CHECK(exact(WireValues::kInt8, 127));
  CHECK_FALSE(exact(WireValues::kInt8, 129));
}

TEST_CASE("an int8 row has its sizes as they are documented", "[protocol][value_codec]") {
  const auto bytes = Packed(WireValues::kInt8, 3, {1, -2, 127, 0.25F, 0, -0.125F});

  const std::vector<int> want = {0, 1, -2, 127, -8, 64, 0, -32};
  REQUIRE(bytes.size() == want.size());
  for (std::size_t i = 0; i < want.size(); ++i) {
    CHECK(static_cast<int>(static_cast<std::int8_t>(bytes[i])) == want[i]);
  }
}

TEST_CASE("what is not finite stays so, and what is finite, too", "[protocol][value_codec]") {
  const WireValues format = GENERATE(WireValues::kFloat32, WireValues::kBfloat16,
                                     WireValues::kFloat16, WireValues::kInt8);
  CAPTURE(format);
  constexpr float kLargest = std::numeric_limits<float>::max();
  for (const float bad :
       {std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity(),
        std::numeric_limits<float>::quiet_NaN()}) {
    const std::vector<float> got = Sent(format, 2, {1, 2, 3, bad, 5, 6});
    CHECK(got[0] == 1);
    CHECK_FALSE(std::isfinite(got[3]));
    CHECK(got[5] == 6);
  }
  for (const float value : Sent(format, 2, {kLargest, -kLargest, kLargest, 1e-45F, 0, -0.0F})) {
    CHECK(std::isfinite(value));
  }
}

TEST_CASE("a row whose scale is none is refused", "[protocol][value_codec]") {
  float row[2] = {};
  for (int exponent = -128; exponent <= 127; ++exponent) {
    const std::byte packed[] = {static_cast<std::byte>(exponent), std::byte{1}, std::byte{2}};
    const bool is_scale =
        (exponent >= -120 && exponent <= kWireExponentMax) || exponent == kNotFinite;
    CAPTURE(exponent);
    CHECK(UnpackRows(WireValues::kInt8, 2, packed, row) == is_scale);
  }
}

}  // namespace
}  // namespace longtail
