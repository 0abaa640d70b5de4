#include "sparse/initializer.h"

#include <algorithm>
#include <bit>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdint>
#include <vector>

#include "base/random.h"
#include "sparse/specs.h"

namespace longtail::sparse {
namespace {

TableSpec Spec(const InitializerSpec& initializer, std::uint32_t linear_columns = 0) {
  return {.name = "t",
          .dim = 16,
          .initializer = initializer,
          .seed = 12345,
          .linear_columns = linear_columns};
}

std::vector<float> Row(const TableSpec& spec, Key key, std::size_t dim) {
  std::vector<float> row(dim, 99);
  Initializer(spec).Fill(key, row);
  return row;
}

std::vector<double> Draws(const InitializerSpec& initializer, std::size_t rows) {
  std::vector<double> draws;
  for (Key key = 0; key < rows; ++key) {
    for (const float value : Row(Spec(initializer), key, 16)) {
      draws.push_back(static_cast<double>(value));
    }
  }
  std::sort(draws.begin(), draws.end());
  return draws;
}

double Moment(const std::vector<double>& draws, double centre, int power) {
  double sum = 0;
  for (const double x : draws) sum += std::pow(x - centre, power);
  return sum / static_cast<double>(draws.size());
}

TEST_CASE("initial values never change, whatever the compiler", "[sparse][initializer]") {
  struct Golden {
    InitializerSpec initializer;
    std::uint32_t want[3];
  };
  const Golden golden = GENERATE(values<Golden>({
      {ConstantSpec{.value = 0.125F}, {0x3E000000, 0x3E000000, 0x3E000000}},
      {UniformSpec{.low = -0.5F, .high = 0.7F}, {0x3F2352A6, 0x3DF9AED6, 0x3F15DF48}},
      {NormalSpec{.mean = 0.1F, .stddev = 0.6F}, {0x3F89E341, 0x3E02893D, 0x3F627AF9}},
      {TruncatedNormalSpec{.mean = -0.2F, .stddev = 0.4F}, {0x3EC4B3BE, 0xBE3AE58A, 0x3E90A015}},
  }));
  CAPTURE(golden.initializer.index());
  const std::vector<float> row = Row(Spec(golden.initializer), 0xDEADBEEF, 8);

  CHECK(std::bit_cast<std::uint32_t>(row[0]) == golden.want[0]);
  CHECK(std::bit_cast<std::uint32_t>(row[3]) == golden.want[1]);
  CHECK(std::bit_cast<std::uint32_t>(row[7]) == golden.want[2]);
}

TEST_CASE("a hundred thousand normal values never change", "[sparse][initializer]") {
  std::uint64_t hash = 0;
  for (Key key = 0; key < 1000; ++key) {
    for (const float value : Row(Spec(NormalSpec{.mean = 0.25F, .stddev = 3}), key, 100)) {
      hash = Mix64(hash + std::bit_cast<std::uint32_t>(value));
    }
  }
  CHECK(hash == 0xC3F842B35EF60AF5U);
}

TEST_CASE("a column does not depend on the width of the row", "[sparse][initializer]") {
  const std::size_t which = GENERATE(range<std::size_t>(0, 4));
  CAPTURE(which);
  const TableSpec spec = Spec(test::Initializers().at(which));
  const std::vector<float> wide = Row(spec, 77, 50);

  const std::vector<float> narrow = Row(spec, 77, 9);

  CHECK(std::equal(narrow.begin(), narrow.end(), wide.begin()));
}

TEST_CASE("seed and key change a row", "[sparse][initializer]") {
  TableSpec spec = Spec(UniformSpec{});
  const std::vector<float> row = Row(spec, 5, 16);

  CHECK(Row(spec, 6, 16) != row);
  spec.seed += 1;
  CHECK(Row(spec, 5, 16) != row);
}

TEST_CASE("linear columns start at zero and leave the others as they are",
          "[sparse][initializer]") {
  const std::size_t which = GENERATE(range<std::size_t>(0, 4));
  CAPTURE(which);
  const InitializerSpec initializer = test::Initializers().at(which);
  std::vector<float> want = Row(Spec(initializer), 5, 16);
  want[0] = want[1] = 0;

  CHECK(Row(Spec(initializer, 2), 5, 16) == want);
  CHECK(Row(Spec(initializer, 16), 5, 16) == std::vector<float>(16, 0));
}

TEST_CASE("uniform values fill their range evenly", "[sparse][initializer]") {
  const std::vector<double> draws = Draws(UniformSpec{.low = -0.5F, .high = 0.7F}, 20'000);

  CHECK(draws.front() >= -0.5);
  CHECK(draws.back() <= static_cast<double>(0.7F));
  for (int percent = 1; percent < 100; ++percent) {
    const double quantile = draws[draws.size() / 100 * static_cast<std::size_t>(percent)];
    CHECK(quantile == Approx(-0.5 + 1.2 * percent / 100).margin(0.006));
  }
}

TEST_CASE("normal values have the moments and tails of a normal distribution",
          "[sparse][initializer]") {
  const std::vector<double> draws = Draws(NormalSpec{.mean = 0.5F, .stddev = 2}, 20'000);
  const double n = static_cast<double>(draws.size());

  CHECK(Moment(draws, 0, 1) == Approx(0.5).margin(5 * 2 / std::sqrt(n)));
  CHECK(Moment(draws, 0.5, 2) == Approx(4).epsilon(5 * std::sqrt(2 / n)));
  CHECK(Moment(draws, 0.5, 3) / 8 == Approx(0).margin(5 * std::sqrt(15 / n)));
  CHECK(Moment(draws, 0.5, 4) / 16 == Approx(3).margin(5 * std::sqrt(96 / n)));
  for (const double z : {-4.0, -3.0, -2.0, 2.0, 3.0, 4.0}) {
    const double p = std::erfc(std::abs(z) / std::sqrt(2.0)) / 2;
    const auto beyond = std::count_if(draws.begin(), draws.end(), [&](double x) {
      return z < 0 ? x < 0.5 + 2 * z : x > 0.5 + 2 * z;
    });
    CAPTURE(z);
    CHECK(static_cast<double>(beyond) == Approx(n * p).margin(5 * std::sqrt(n * p)));
  }
}

TEST_CASE("truncated normal values end at two standard deviations", "[sparse][initializer]") {
  const std::vector<double> draws = Draws(TruncatedNormalSpec{.mean = 0.5F, .stddev = 2}, 20'000);
  const double n = static_cast<double>(draws.size());

  CHECK(draws.front() >= -3.5);
  CHECK(draws.front() < -3.49);
  CHECK(draws.back() <= 4.5);
  CHECK(draws.back() > 4.49);
  CHECK(Moment(draws, 0, 1) == Approx(0.5).margin(5 * 2 / std::sqrt(n)));
  CHECK(std::sqrt(Moment(draws, 0.5, 2)) == Approx(2 * 0.879626).epsilon(0.01));
}

TEST_CASE("the normal quantile is the inverse of the distribution", "[sparse][initializer]") {
  for (int i = 0; i < 2000; ++i) {
    const double p = RandomBits(1, static_cast<Key>(i), 0) % 2 == 0
                         ? std::ldexp(1.0 + i / 2000.0, -1 - i % 53)
                         : (i + 0.5) / 2000.0;
    const double z = NormalQuantile(p);
    CAPTURE(p, z);
    CHECK(std::erfc(-z / std::sqrt(2.0)) / 2 == Approx(p).epsilon(2e-13));
  }
  CHECK(NormalQuantile(0.5) == 0);
  CHECK(NormalQuantile(0.975) == Approx(1.959963984540054).epsilon(1e-15));
  CHECK(NormalQuantile(1e-10) == Approx(-6.361340902404056).epsilon(1e-15));
  CHECK(NormalQuantile(1 - 0x1.0p-53) == Approx(8.209536151601387).epsilon(1e-14));
}

TEST_CASE("the portable logarithm agrees with the library's", "[sparse][initializer]") {
  for (int i = 0; i < 5000; ++i) {
    const double x =
        std::ldexp(1 + UnitFloat(RandomBits(2, static_cast<Key>(i), 1)), i % 200 - 100);
    CAPTURE(x);
    CHECK(PortableLog(x) == Approx(std::log(x)).epsilon(1e-15));
  }
  CHECK(PortableLog(1) == 0);
}

}  // namespace
}  // namespace longtail::sparse
